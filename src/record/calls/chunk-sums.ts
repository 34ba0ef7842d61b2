import type { CallRecord } from '../../call/call-record.ts';

/** What the calls of a chunk add up to. */
export interface ChunkSums {
  calls: number;
  failures: number;
  /** Of the calls of which it is known; absent where it is known of none. */
  totalTokens?: number;
  costUsd?: number;
}

/** The sums with one more call. */
export function withCall(sums: ChunkSums, { status, tokens, cost }: CallRecord): ChunkSums {
  const totalTokens = sumOf(sums.totalTokens, tokens.total);
  const costUsd = sumOf(sums.costUsd, cost.usd);
  return {
    calls: sums.calls + 1,
    failures: sums.failures + (status === 'failure' ? 1 : 0),
    ...(totalTokens !== undefined && { totalTokens }),
    ...(costUsd !== undefined && { costUsd }),
  };
}

function sumOf(sum: number | undefined, more: number | undefined): number | undefined {
  return more === undefined ? sum : (sum ?? 0) + more;
}
