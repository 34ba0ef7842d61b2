import type { UpstreamUsage } from '../../support/upstream-record.ts';

/** US dollars a million tokens, as the providers published them and LiteLLM's price list has them. */
interface Price {
  readonly input: number;
  readonly output: number;
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
}

const prices: Readonly<Record<string, Price>> = {
  'gpt-4o-mini': { input: 0.15, output: 0.6, cacheRead: 0.075 },
  'gpt-4o': { input: 2.5, output: 10, cacheRead: 1.25 },
  'o3-mini': { input: 1.1, output: 4.4, cacheRead: 0.55 },
  'text-embedding-3-small': { input: 0.02, output: 0 },
  'claude-sonnet-4-5-20250929': { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 },
};

/** What an answer costs; `undefined` where the model has no price. */
export function costOf(model: string, usage: UpstreamUsage): number | undefined {
  const price = prices[model];
  if (price === undefined) return undefined;
  const { cachedTokens, cacheWrittenTokens } = usage;
  const plain = usage.promptTokens - cachedTokens - cacheWrittenTokens;
  return (
    (plain * price.input +
      cachedTokens * (price.cacheRead ?? price.input) +
      cacheWrittenTokens * (price.cacheWrite ?? price.input) +
      usage.completionTokens * price.output) /
    1e6
  );
}
