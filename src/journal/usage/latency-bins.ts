/*
 * Latencies counted by bins whose bounds grow by the same factor, as in DDSketch (Masson, Rim and Lee,
 * 2019): a quantile read from them is off by 1 % at the most, and bins of the same number add up.
 */

const accuracy = 0.01;
const base = (1 + accuracy) / (1 - accuracy);
const logOfBase = Math.log(base);

/** The bin of a latency in milliseconds; all below a microsecond share one. */
export function binOf(ms: number): number {
  return Math.ceil(Math.log(Math.max(ms, 0.001)) / logOfBase);
}

/**
 * The latency in milliseconds that a share of the calls did not pass.
 *
 * @param bins Calls by bin, in ascending order of the bins.
 * @param quantile 0 to 1
 */
export function quantileOf(
  bins: readonly (readonly [bin: number, calls: number])[],
  quantile: number,
): number | undefined {
  const all = bins.reduce((sum, [, calls]) => sum + calls, 0);
  const rank = quantile * (all - 1);
  let passed = 0;
  for (const [bin, calls] of bins) {
    passed += calls;
    if (passed > rank) return (2 * base ** bin) / (base + 1);
  }
  return undefined;
}
