/*
 * Latencies counted by bins whose bounds grow by the same factor, as in DDSketch (Masson, Rim and Lee,
 * 2019): a quantile read from them is off by 1 % at the most, and bins of the same number add up.
 */

const accuracy = 0.01;
const base = (1 + accuracy) / (1 - accuracy);
const logOfBase = Math.log(base);

/** Calls by bin. */
export type Bins = Map<number, number>;

/** The bin of a latency in milliseconds; all below a microsecond share one. */
export function binOf(ms: number): number {
  return Math.ceil(Math.log(Math.max(ms, 0.001)) / logOfBase);
}

/**
 * The latency in milliseconds that a share of the calls did not pass; absent where there are none.
 *
 * @param quantile 0 to 1
 */
export function quantileOf(bins: Bins, quantile: number): number | undefined {
  const rank = quantile * (callsIn(bins) - 1);
  let passed = 0;
  for (const [bin, calls] of [...bins].sort(([one], [other]) => one - other)) {
    passed += calls;
    if (passed > rank) return (2 * base ** bin) / (base + 1);
  }
  return undefined;
}

export function callsIn(bins: Bins): number {
  let all = 0;
  for (const calls of bins.values()) all += calls;
  return all;
}

export function addCalls(bins: Bins, bin: number, calls: number): void {
  bins.set(bin, (bins.get(bin) ?? 0) + calls);
}

/** Bins as the journal keeps them: `BIN:CALLS BIN:CALLS …`. */
export function textOfBins(bins: Bins): string {
  let text = '';
  for (const [bin, calls] of bins) text += `${text === '' ? '' : ' '}${bin}:${calls}`;
  return text;
}

/** What damage made unreadable is left out; the sums beside it are not touched by it. */
export function binsIn(text: string): Bins {
  const bins: Bins = new Map();
  for (const pair of text.split(' ')) {
    const [bin, calls] = pair.split(':').map(Number);
    if (bin !== undefined && calls !== undefined && Number.isInteger(bin) && calls > 0) {
      addCalls(bins, bin, calls);
    }
  }
  return bins;
}
