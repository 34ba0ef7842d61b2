import type { UsageCounts, UsageSums } from '../../call/usage-report.ts';
import { addCalls, type Bins, binsIn, callsIn, quantileOf, textOfBins } from './latency-bins.ts';

/** What the calls of a series add up to in an interval, as a row of `usage` keeps it. */
export interface UsageSum {
  counts: UsageCounts;
  latencyMsSum: number;
  latencyMsMax: number;
  latencies: Bins;
  firstTokens: Bins;
}

/** The columns of the counts, by their names in a report. */
const countColumns: Readonly<Record<keyof UsageCounts, string>> = {
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
const countNames = Object.keys(countColumns) as (keyof UsageCounts)[];

/** The columns of a sum, in the order of `valuesOf`. */
export const sumColumns: readonly string[] = [
  ...Object.values(countColumns),
  ...['latency_ms_sum', 'latency_ms_max', 'latencies', 'first_tokens'],
];

export function valuesOf(sum: UsageSum): (number | string)[] {
  const { counts, latencyMsSum, latencyMsMax, latencies, firstTokens } = sum;
  const texts = [textOfBins(latencies), textOfBins(firstTokens)];
  return [...countNames.map((name) => counts[name]), latencyMsSum, latencyMsMax, ...texts];
}

export function countsIn(row: Record<string, unknown>): UsageCounts {
  const counts = noCounts();
  for (const name of countNames) counts[name] = Number(row[countColumns[name]]);
  return counts;
}

export function sumIn(row: Record<string, unknown>): UsageSum {
  return {
    counts: countsIn(row),
    latencyMsSum: Number(row['latency_ms_sum']),
    latencyMsMax: Number(row['latency_ms_max']),
    latencies: binsIn(String(row['latencies'])),
    firstTokens: binsIn(String(row['first_tokens'])),
  };
}

export function emptySum(): UsageSum {
  return {
    counts: noCounts(),
    latencyMsSum: 0,
    latencyMsMax: 0,
    latencies: new Map(),
    firstTokens: new Map(),
  };
}

export function noCounts(): UsageCounts {
  const none = countNames.map((name) => [name, 0] as const);
  return Object.fromEntries(none) as Record<keyof UsageCounts, number>;
}

export function addCounts(counts: UsageCounts, more: UsageCounts): void {
  for (const name of countNames) counts[name] += more[name];
}

export function addSum(sum: UsageSum, more: UsageSum): void {
  addCounts(sum.counts, more.counts);
  sum.latencyMsSum += more.latencyMsSum;
  sum.latencyMsMax = Math.max(sum.latencyMsMax, more.latencyMsMax);
  for (const [bin, calls] of more.latencies) addCalls(sum.latencies, bin, calls);
  for (const [bin, calls] of more.firstTokens) addCalls(sum.firstTokens, bin, calls);
}

/** A sum as it is reported. */
export function reported(sum: UsageSum): UsageSums {
  const calls = callsIn(sum.latencies);
  if (calls === 0) return { ...sum.counts };
  const max = sum.latencyMsMax;
  // A bin's middle may lie beyond the longest of its calls.
  const at = (quantile: number) => Math.min(max, quantileOf(sum.latencies, quantile) ?? max);
  const firstTokenP95 = quantileOf(sum.firstTokens, 0.95);
  return {
    ...sum.counts,
    latencies: {
      mean: sum.latencyMsSum / calls,
      max,
      p50: at(0.5),
      p95: at(0.95),
      p99: at(0.99),
      ...(firstTokenP95 !== undefined && { firstTokenP95: Math.min(max, firstTokenP95) }),
    },
  };
}
