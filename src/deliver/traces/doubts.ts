import type { TracedCall } from '../../journal/detail.ts';
import { type Backoff, fullJitter } from '../backoff.ts';
import type { Clock } from '../clock.ts';

/** A request whose answer is not known may act for so long, in milliseconds. */
const unclearFor = 90_000;
/** Failures over one trace after which it is given up, while others pass. */
const mostFailures = 3;
/** After so many refusals the server is not asked any more what it has. */
const mostRefusals = 3;
/** Between two of them it waits, in milliseconds. */
const waits: Backoff = { first: 15_000, longest: 300_000 };

/**
 * What is known of calls that were taken and have no trace yet. The journal knows of each that it was
 * begun; this process knows of which of them nothing was sent, or was refused.
 */
export interface Doubts {
  /** Whether an earlier request may have made its trace. */
  isUnclear(call: TracedCall): boolean;
  /** Whether it has come to nothing yet for long enough: what the server does not have it will not get. */
  isRipe(call: TracedCall): boolean;
  /** A request with these may act yet. */
  unclear(seqs: readonly number[]): void;
  /** Nothing can have come of these. */
  clear(seqs: readonly number[]): void;
  /** The server failed over this trace alone; whether it is the trace's own fault. */
  failed(seq: number): boolean;
  /** It did, and the trace is sent by itself since. */
  isSuspect(seq: number): boolean;
  /** It is not to be sent yet. */
  mustWait(seq: number): boolean;
  /** The server refused to be asked what it has, and answered others; whether that is so for good. */
  questionRefused(): boolean;
  /** The server took others. */
  othersPassed(): void;
  /** They have ended. */
  forget(seqs: readonly number[]): void;
}

/** @param random Uniform in [0, 1). */
export function createDoubts(clock: Clock, random: () => number): Doubts {
  const ripeAt = new Map<number, number>();
  const sure = new Set<number>();
  const failures = new Map<
    number,
    { times: number; tries: number; passes: number; until: number }
  >();
  let passes = 0;
  let questionsRefused = 0;

  const unclear = (seqs: readonly number[]) => {
    for (const seq of seqs) {
      sure.delete(seq);
      ripeAt.set(seq, clock.ticks() + unclearFor);
    }
  };

  return {
    isUnclear: ({ seq, begunBefore }) => ripeAt.has(seq) || (begunBefore && !sure.has(seq)),
    isRipe: ({ seq }) => {
      const at = ripeAt.get(seq);
      if (at === undefined) unclear([seq]);
      return at !== undefined && at <= clock.ticks();
    },
    unclear,
    clear: (seqs) => {
      for (const seq of seqs) {
        ripeAt.delete(seq);
        sure.add(seq);
      }
    },
    failed: (seq) => {
      const before = failures.get(seq);
      const othersPass = before !== undefined && before.passes < passes;
      const times = before === undefined ? 1 : before.times + (othersPass ? 1 : 0);
      const tries = (before?.tries ?? 0) + 1;
      const bound = Math.min(waits.longest, waits.first * 2 ** Math.min(tries - 1, 20));
      const until =
        clock.ticks() + (bound + fullJitter({ first: bound, longest: bound }, 0, random)) / 2;
      failures.set(seq, { times, tries, passes, until });
      return times >= mostFailures;
    },
    isSuspect: (seq) => failures.has(seq),
    mustWait: (seq) => (failures.get(seq)?.until ?? 0) > clock.ticks(),
    questionRefused: () => {
      questionsRefused += 1;
      return questionsRefused >= mostRefusals;
    },
    othersPassed: () => {
      passes += 1;
    },
    forget: (seqs) => {
      for (const seq of seqs) {
        ripeAt.delete(seq);
        sure.delete(seq);
        failures.delete(seq);
      }
    },
  };
}
