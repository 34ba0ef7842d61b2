import type { PendingCall, Progress } from '../journal/journal.ts';
import type { MlflowClient } from '../mlflow/client.ts';
import type { Outcome } from '../mlflow/outcome.ts';
import { planRun } from '../record/plan-run.ts';
import type { RunPlan } from '../record/run-plan.ts';
import { type Backoff, fullJitter } from './backoff.ts';
import type { CallEnd } from './call-end.ts';
import type { Clock } from './clock.ts';
import type { Experiments } from './experiments.ts';
import type { Hold } from './hold.ts';

export interface DeliverParts {
  mlflow: MlflowClient;
  experiments: Experiments;
  /** The state of MLflow itself, and of the place where artifacts go. */
  holds: { mlflow: Hold; artifacts: Hold };
  /** Commits progress; it resolves when that is on disk. */
  keep: (seq: number, progress: Progress) => Promise<void>;
  body: (seq: number) => Promise<Uint8Array | undefined>;
  clock: Clock;
  random: () => number;
}

const waits: Backoff = { first: 1_000, longest: 300_000 };

/** Errors of the server's own over one call after which that call is given up, while others pass. */
const mostServerErrors = 8;

/** A run or experiment that a person deleted is not made again. */
export const deletedByAPerson: CallEnd = {
  kind: 'settled',
  settlement: { kind: 'shed', reason: 'deleted' },
};

export const recorded: CallEnd = { kind: 'settled', settlement: { kind: 'recorded' } };

/** One attempt to deliver a call: how far it has come, and what an outcome means for it. */
export class Attempt {
  readonly parts: DeliverParts;
  readonly call: PendingCall;
  readonly plan: RunPlan;
  /** What is on disk, or will be before the next request. */
  progress: Progress;

  constructor(parts: DeliverParts, call: PendingCall, destination: string) {
    this.parts = parts;
    this.call = call;
    this.plan = planRun(call.record);
    this.progress = call.progress ?? { destination };
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

  /** What an outcome that is not `done` means for the call. */
  failed(outcome: Exclude<Outcome<unknown>, { kind: 'done' }>, dueAt?: number): CallEnd {
    switch (outcome.kind) {
      case 'hold':
        return { kind: 'held', by: 'mlflow', outcome, progress: this.progress };
      case 'reject':
        return outcome.reason === 'invalid' || outcome.reason === 'exists'
          ? dead('rejected', outcome.answer)
          : deletedByAPerson;
      case 'retry':
      case 'ambiguous': {
        this.parts.holds.mlflow.failed(outcome.reason);
        if (outcome.suspect && this.#isAtFault()) return dead('server_error', outcome.reason);
        const afterMs = outcome.kind === 'retry' ? outcome.afterMs : undefined;
        return this.later(dueAt ?? this.#backoff(afterMs), this.call.attempts + 1);
      }
    }
  }

  /** Whether the server has failed over this call again and again, and done others meanwhile. */
  #isAtFault(): boolean {
    const { clock, holds } = this.parts;
    const { since, times } = this.progress.serverErrors ?? { since: clock.now(), times: 0 };
    this.progress = { ...this.progress, serverErrors: { since, times: times + 1 } };
    return times + 1 >= mostServerErrors && holds.mlflow.lastSuccessAt() > since;
  }

  #backoff(afterMs = 0): number {
    const { clock, random } = this.parts;
    return clock.now() + Math.max(afterMs, fullJitter(waits, this.call.attempts, random));
  }
}

function dead(reason: string, detail: string): CallEnd {
  return { kind: 'settled', settlement: { kind: 'dead', reason, detail } };
}
