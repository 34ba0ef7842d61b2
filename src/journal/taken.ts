import type { Transactions } from './transactions.ts';

/** The calls that somebody has: a fact of this process, which ends with it. */
export interface Taken {
  has(seq: number): boolean;
  size(): number;
  take(seq: number): void;
  giveBack(seq: number): void;
}

export function createTaken(transactions: Transactions): Taken {
  const seqs = new Set<number>();
  return {
    has: (seq) => seqs.has(seq),
    size: () => seqs.size,
    take: (seq) => {
      seqs.add(seq);
      transactions.onUndo(() => seqs.delete(seq));
    },
    giveBack: (seq) => {
      if (seqs.delete(seq)) transactions.onUndo(() => seqs.add(seq));
    },
  };
}
