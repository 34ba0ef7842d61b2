import type { Progress, Settlement } from '../journal/journal.ts';
import type { HoldOutcome } from './hold.ts';

/** How an attempt to make the run of a call, or of a chunk of calls, ended. */
export type CallEnd =
  | { kind: 'settled'; settlement: Settlement }
  /** Through nobody's fault but its own, or to look again for an unclear create. */
  | { kind: 'later'; dueAt: number; attempts: number; progress: Progress }
  /** A destination refuses; the call is as it was. */
  | { kind: 'held'; by: 'mlflow' | 'artifacts'; outcome: HoldOutcome; progress: Progress };
