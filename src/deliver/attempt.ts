import type { Progress } from '../journal/journal.ts';
import type { Artifacts } from '../mlflow/artifacts.ts';
import type { MlflowClient } from '../mlflow/client.ts';
import type { RunPlan } from '../record/run-plan.ts';
import { type Backoff, fullJitter } from './backoff.ts';
import type { BodyRoom } from './body-room.ts';
import type { CallEnd } from './call-end.ts';
import type { Clock } from './clock.ts';
import type { Experiments } from './experiments.ts';
import type { Hold } from './hold.ts';
import type { RunToMake } from './run-to-make.ts';
import type { Successes } from './successes.ts';

export interface DeliverParts {
  mlflow: MlflowClient;
  artifacts: Artifacts;
  experiments: Experiments;
  /** The state of MLflow itself, and of the place where artifacts go. */
  holds: { mlflow: Hold; artifacts: Hold };
  successes: Successes;
  bodyRoom: BodyRoom;
  clock: Clock;
  random: () => number;
}

const waits: Backoff = { first: 1_000, longest: 300_000 };

/** One attempt to make a run, and how far it has come. */
export class Attempt {
  readonly parts: DeliverParts;
  readonly run: RunToMake;
  readonly plan: RunPlan;
  /** What is on disk, or will be before the next request. */
  progress: Progress;

  constructor(parts: DeliverParts, run: RunToMake) {
    this.parts = parts;
    this.run = run;
    this.plan = run.plan;
    this.progress = run.progress;
  }

  /** Commits progress; nothing more is sent before it is on disk. */
  async keep(progress: Progress): Promise<void> {
    this.progress = progress;
    await this.run.keep(progress);
  }

  isDone(step: string): boolean {
    return this.progress.done?.includes(step) ?? false;
  }

  async stepDone(step: string): Promise<undefined> {
    await this.keep({ ...this.progress, done: [...(this.progress.done ?? []), step] });
  }

  /** Waits until `dueAt`, in Unix milliseconds. */
  later(dueAt: number, attempts = this.run.attempts): CallEnd {
    return { kind: 'later', dueAt, attempts, progress: this.progress };
  }

  /** Waits for as long as its failures so far want it, and counts one more. */
  failed(afterMs = 0): CallEnd {
    return this.later(this.backoff(afterMs), this.run.attempts + 1);
  }

  /** When to try again after a failure, in Unix milliseconds: `afterMs` from now at the least. */
  backoff(afterMs = 0): number {
    const { clock, random } = this.parts;
    return clock.now() + Math.max(afterMs, fullJitter(waits, this.run.attempts, random));
  }
}
