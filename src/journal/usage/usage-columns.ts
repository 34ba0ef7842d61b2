import type { UsageCounts } from '../../call/usage-report.ts';

/** The columns of `usage` that hold counts, by their names in a report. */
export const countColumns: Readonly<Record<keyof UsageCounts, string>> = {
  attempts: 'attempts',
  failures: 'failures',
  recovered: 'recovered',
  cacheHits: 'cache_hits',
  promptTokens: 'prompt_tokens',
  completionTokens: 'completion_tokens',
  totalTokens: 'total_tokens',
  cacheReadTokens: 'cache_read_input_tokens',
  costUsd: 'cost_usd',
  savedUsd: 'saved_cost_usd',
  unpriced: 'unpriced',
};

export const countNames = Object.keys(countColumns) as (keyof UsageCounts)[];

/** A count of each kind, all zero. */
export function noUsage(): UsageCounts {
  return Object.fromEntries(countNames.map((name) => [name, 0])) as Record<
    keyof UsageCounts,
    number
  >;
}

/** Adds `more` to `counts`. */
export function addUsage(counts: UsageCounts, more: UsageCounts): void {
  for (const name of countNames) counts[name] += more[name];
}
