import type { PendingCall, Progress } from '../journal/journal.ts';
import type { MlflowClient, Run } from '../mlflow/client.ts';
import type { Outcome } from '../mlflow/outcome.ts';
import { planRun } from '../record/plan-run.ts';
import { type RunPlan, recordIdTag } from '../record/run-plan.ts';
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

/**
 * After an unclear create its run is searched for at these milliseconds, and the create is sent
 * again only when the last search found none: MLflow answers pool errors 30 to 60 s late, and acts
 * as late.
 */
const searchesAfter = [2_000, 20_000, 90_000] as const;

const waits: Backoff = { first: 1_000, longest: 300_000 };

/** Tries after which a call that the server itself fails over is given up, while others pass. */
const mostServerErrors = 8;

/**
 * Takes one call through its requests: the run's create, its params and metrics, its artifacts, its
 * end. Each answer is on disk before the next request goes out, so that after a kill the run that
 * was begun is finished, not begun again.
 *
 *     (new) ──create──▶ run known ──log-batch──▶ logged ──artifacts──▶ each done ──update──▶ recorded
 *       │                   ▲
 *       └─unclear─▶ search ─┘ found; or create again after the last search
 */
export function createDelivery(parts: DeliverParts) {
  return (call: PendingCall, destination: string): Promise<CallEnd> =>
    new Delivery(parts, call, destination).run();
}

class Delivery {
  readonly #parts: DeliverParts;
  readonly #call: PendingCall;
  readonly #plan: RunPlan;
  /** What is on disk, or will be before the next request. */
  #progress: Progress;

  constructor(parts: DeliverParts, call: PendingCall, destination: string) {
    this.#parts = parts;
    this.#call = call;
    this.#plan = planRun(call.record);
    this.#progress = call.progress ?? { destination };
  }

  async run(): Promise<CallEnd> {
    const { runId, artifactUri = '' } = this.#progress;
    const run = runId === undefined ? await this.#begin() : { id: runId, artifactUri };
    if ('kind' in run) return run;
    return (
      (await this.#log(run.id)) ??
      (await this.#putArtifacts(run.artifactUri)) ??
      (await this.#confessShed(run.id)) ??
      (await this.#finish(run.id))
    );
  }

  /** The call's run: made, or found where an earlier create may have made it. */
  async #begin(): Promise<Omit<Run, 'deleted'> | CallEnd> {
    const experiment = await this.#parts.experiments.idOf(this.#call.experiment);
    if (experiment.kind !== 'done') return this.#failed(experiment);
    const { begunAt } = this.#progress;
    const made =
      begunAt === undefined
        ? await this.#create(experiment.value)
        : await this.#search(experiment.value, begunAt);
    if ('kind' in made) return made;
    const { begunAt: _, ...progress } = this.#progress;
    await this.#keep({ ...progress, runId: made.id, artifactUri: made.artifactUri });
    return made;
  }

  async #create(experimentId: string): Promise<Run | CallEnd> {
    const outcome = await this.#parts.mlflow.createRun(experimentId, this.#plan);
    if (outcome.kind === 'done') return outcome.value;
    if (outcome.kind === 'ambiguous') {
      const begunAt = this.#parts.clock.now();
      this.#progress = { ...this.#progress, begunAt };
      return this.#failed(outcome, begunAt + searchesAfter[0]);
    }
    if (outcome.kind === 'reject' && outcome.reason === 'missing') {
      this.#parts.experiments.forget(this.#call.experiment);
      return this.#failed({ kind: 'retry', reason: 'the experiment has gone' });
    }
    return this.#failed(outcome);
  }

  async #search(experimentId: string, begunAt: number): Promise<Run | CallEnd> {
    const { mlflow, clock } = this.#parts;
    const age = clock.now() - begunAt;
    const nextSearch = searchesAfter.find((ms) => ms > age);
    if (age >= searchesAfter[0]) {
      const tag = [recordIdTag, this.#call.record.recordId] as const;
      const found = await mlflow.findRuns(experimentId, tag, this.#plan.startTime);
      if (found.kind !== 'done') return this.#failed(found);
      const run = found.value.find((one) => !one.deleted) ?? found.value[0];
      if (run?.deleted) return deletedByAPerson;
      if (run !== undefined) return run;
    }
    if (nextSearch !== undefined) return this.#wait(begunAt + nextSearch);
    await this.#keep({ ...this.#progress, begunAt: clock.now() });
    return this.#create(experimentId);
  }

  async #log(runId: string): Promise<CallEnd | undefined> {
    if (this.#isDone('logged')) return undefined;
    const { params, metrics, endTime } = this.#plan;
    const points = [...metrics].map(([name, value]) => ({
      name,
      value,
      timestamp: endTime,
      step: 0,
    }));
    const outcome = await this.#parts.mlflow.logBatch(runId, { params, metrics: points, tags: [] });
    return outcome.kind === 'done' ? this.#stepDone('logged') : this.#failed(outcome);
  }

  async #putArtifacts(artifactUri: string): Promise<CallEnd | undefined> {
    const { traceback } = this.#plan;
    return (
      (await this.#putArtifact(artifactUri, 'call.json', () => this.#parts.body(this.#call.seq))) ??
      (traceback === undefined
        ? undefined
        : await this.#putArtifact(artifactUri, 'traceback.txt', async () =>
            Buffer.from(traceback, 'utf8'),
          ))
    );
  }

  async #putArtifact(
    artifactUri: string,
    name: string,
    content: () => Promise<Uint8Array | undefined>,
  ): Promise<CallEnd | undefined> {
    if (this.#isDone(name) || this.#progress.shed?.includes(name)) return undefined;
    const { holds, mlflow, clock } = this.#parts;
    const hold = holds.artifacts.state();
    if (hold.state === 'held' && clock.now() < hold.probeAt) return this.#wait(hold.probeAt);
    const bytes = await content();
    const sent = bytes && mlflow.putArtifact(artifactUri, name, bytes);
    if (sent === undefined) return this.#shed(name);
    const outcome = await sent;
    switch (outcome.kind) {
      case 'done':
        holds.artifacts.succeeded();
        return this.#stepDone(name);
      case 'reject':
        return this.#shed(name);
      case 'hold':
        return { kind: 'held', by: 'artifacts', outcome, progress: this.#progress };
      default:
        return this.#failed(outcome);
    }
  }

  /** Says on the run what could not be kept with it. */
  async #confessShed(runId: string): Promise<CallEnd | undefined> {
    const { shed = [] } = this.#progress;
    if (shed.length === 0 || this.#isDone('shed')) return undefined;
    const tags = [['sidecar.shed', shed.join(',')]] as const;
    const outcome = await this.#parts.mlflow.logBatch(runId, { params: [], metrics: [], tags });
    return outcome.kind === 'done' ? this.#stepDone('shed') : this.#failed(outcome);
  }

  async #finish(runId: string): Promise<CallEnd> {
    const outcome = await this.#parts.mlflow.updateRun(runId, this.#plan);
    return outcome.kind === 'done'
      ? { kind: 'settled', settlement: { kind: 'recorded' } }
      : this.#failed(outcome);
  }

  #isDone(step: string): boolean {
    return this.#progress.done?.includes(step) ?? false;
  }

  async #stepDone(step: string): Promise<undefined> {
    await this.#keep({ ...this.#progress, done: [...(this.#progress.done ?? []), step] });
  }

  async #shed(name: string): Promise<undefined> {
    await this.#keep({ ...this.#progress, shed: [...(this.#progress.shed ?? []), name] });
  }

  async #keep(progress: Progress): Promise<void> {
    this.#progress = progress;
    await this.#parts.keep(this.#call.seq, progress);
  }

  /** What an outcome that is not `done` means for the call. */
  #failed(outcome: Exclude<Outcome<unknown>, { kind: 'done' }>, dueAt?: number): CallEnd {
    switch (outcome.kind) {
      case 'hold':
        return { kind: 'held', by: 'mlflow', outcome, progress: this.#progress };
      case 'reject':
        return outcome.reason === 'invalid' || outcome.reason === 'exists'
          ? dead('rejected', outcome.answer)
          : deletedByAPerson;
      case 'retry':
      case 'ambiguous': {
        this.#parts.holds.mlflow.failed(outcome.reason);
        if (outcome.suspect && this.#isAtFault()) return dead('server_error', outcome.reason);
        const afterMs = outcome.kind === 'retry' ? outcome.afterMs : undefined;
        return this.#wait(dueAt ?? this.#backoff(afterMs), this.#call.attempts + 1);
      }
    }
  }

  /** Whether the server has failed over this call again and again, and done others meanwhile. */
  #isAtFault(): boolean {
    const { clock, holds } = this.#parts;
    const { since, times } = this.#progress.serverErrors ?? { since: clock.now(), times: 0 };
    this.#progress = { ...this.#progress, serverErrors: { since, times: times + 1 } };
    return times + 1 >= mostServerErrors && holds.mlflow.lastSuccessAt() > since;
  }

  #backoff(afterMs = 0): number {
    const { clock, random } = this.#parts;
    return clock.now() + Math.max(afterMs, fullJitter(waits, this.#call.attempts, random));
  }

  #wait(dueAt: number, attempts = this.#call.attempts): CallEnd {
    return { kind: 'later', dueAt, attempts, progress: this.#progress };
  }
}

/** A run or experiment that a person deleted is not made again. */
const deletedByAPerson: CallEnd = {
  kind: 'settled',
  settlement: { kind: 'shed', reason: 'deleted' },
};

function dead(reason: string, detail: string): CallEnd {
  return { kind: 'settled', settlement: { kind: 'dead', reason, detail } };
}
