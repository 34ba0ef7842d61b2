import type { PendingCall, Progress } from '../journal/journal.ts';
import type { Artifacts } from '../mlflow/artifacts.ts';
import type { MlflowClient } from '../mlflow/client.ts';
import { planRun } from '../record/plan-run.ts';
import type { RunPlan } from '../record/run-plan.ts';
import { type Backoff, fullJitter } from './backoff.ts';
import type { BodyPlace, BodyRoom } from './body-room.ts';
import type { CallEnd } from './call-end.ts';
import type { Clock } from './clock.ts';
import type { Experiments } from './experiments.ts';
import type { Hold } from './hold.ts';
import type { Successes } from './successes.ts';

export interface DeliverParts {
  mlflow: MlflowClient;
  artifacts: Artifacts;
  experiments: Experiments;
  /** The state of MLflow itself, and of the place where artifacts go. */
  holds: { mlflow: Hold; artifacts: Hold };
  successes: Successes;
  /** Commits progress; it resolves when that is on disk. */
  keep: (seq: number, progress: Progress) => Promise<void>;
  /** The bytes of its `call.json`, in `place` where there is one. */
  body: (seq: number, place?: BodyPlace) => Promise<Uint8Array | undefined>;
  bodyRoom: BodyRoom;
  clock: Clock;
  random: () => number;
}

const waits: Backoff = { first: 1_000, longest: 300_000 };

/** One attempt to deliver a call, and how far it has come. */
export class Attempt {
  readonly parts: DeliverParts;
  readonly call: PendingCall;
  readonly plan: RunPlan;
  /** What is on disk, or will be before the next request. */
  progress: Progress;

  constructor(parts: DeliverParts, call: PendingCall, destination: string) {
    this.parts = parts;
    this.call = call;
    this.progress = call.progress ?? { destination };
    this.plan = planRun(call.record, this.progress.again);
  }

  /** Commits progress; nothing more is sent before it is on disk. */
  async keep(progress: Progress): Promise<void> {
    this.progress = progress;
    await this.parts.keep(this.call.seq, progress);
  }

  isDone(step: string): boolean {
    return this.progress.done?.includes(step) ?? false;
  }

  async stepDone(step: string): Promise<undefined> {
    await this.keep({ ...this.progress, done: [...(this.progress.done ?? []), step] });
  }

  /** Waits until `dueAt`, in Unix milliseconds. */
  later(dueAt: number, attempts = this.call.attempts): CallEnd {
    return { kind: 'later', dueAt, attempts, progress: this.progress };
  }

  /** When to try again after a failure, in Unix milliseconds: `afterMs` from now at the least. */
  backoff(afterMs = 0): number {
    const { clock, random } = this.parts;
    return clock.now() + Math.max(afterMs, fullJitter(waits, this.call.attempts, random));
  }
}
