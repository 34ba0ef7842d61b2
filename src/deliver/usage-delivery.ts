import type { UsageReport } from '../call/usage-report.ts';
import type { Journal } from '../journal/journal.ts';
import type { MlflowClient } from '../mlflow/client.ts';
import type { Outcome } from '../mlflow/outcome.ts';
import {
  planUsageRun,
  pointsOf,
  totalsOf,
  type UsagePoint,
  type UsageRunPlan,
} from '../record/usage/plan-usage.ts';
import { type Backoff, fullJitter } from './backoff.ts';
import type { Clock } from './clock.ts';
import type { Experiments } from './experiments.ts';
import type { Hold } from './hold.ts';
import type { UntilKept } from './until-kept.ts';

export interface UsageDeliveryParts {
  journal: Pick<Journal, 'usageReport' | 'keepUsageRun' | 'usageSent'>;
  journalId: string;
  /** What progress is bound to. */
  destination: string;
  mlflow: MlflowClient;
  experiments: Experiments;
  /** The experiment's name. */
  experiment: () => string;
  hold: Hold;
  untilKept: UntilKept;
  clock: Clock;
  random: () => number;
  /** Ends it. */
  over: AbortSignal;
}

/** How often it looks whether an interval has closed, in milliseconds. */
const look = 5_000;
/** How often the runs of the series get the totals of the day, in milliseconds. */
const totalsEvery = 3_600_000;
/** A create whose answer is not known may act for so long, in milliseconds. */
const unclearFor = 90_000;
/** MLflow takes 1000 metrics in a request. */
const pointsARequest = 1000;
const waits: Backoff = { first: 2_000, longest: 300_000 };

/** What stands against going on: the outcome of a request that was not `done`. */
class NotDone extends Error {
  readonly outcome: Outcome<unknown>;

  constructor(outcome: Outcome<unknown>) {
    super(outcome.kind);
    this.outcome = outcome;
  }
}

/**
 * Sends what calls add up to, once each interval has closed: a run a day, in one request an interval,
 * and a run for each series with the totals of the day. Points may be sent again: MLflow keeps one of
 * those that are the same.
 *
 * @returns Resolves when `over` ends it.
 */
export async function deliverUsage(parts: UsageDeliveryParts): Promise<void> {
  const { journal, destination, hold, untilKept, clock, random, over } = parts;
  let failures = 0;
  let totalsAt = 0;

  const sendNext = async (): Promise<boolean> => {
    const now = clock.now();
    const report = await untilKept(() => journal.usageReport(destination, now));
    if (report === undefined) return false;
    const sender = createSender(parts, report);
    const runId = await sender.runOf('');
    await sender.send(runId, report.intervals.flatMap(pointsOf));
    if (report.isLast || now - totalsAt >= totalsEvery) {
      await sender.sendTotals(runId, now);
      totalsAt = now;
    }
    if (report.isLast) await sender.end();
    const until = report.intervals.at(-1)?.endsAt ?? report.endsAt;
    await untilKept(() => journal.usageSent(report, until));
    return true;
  };

  while (!over.aborted) {
    let more = false;
    try {
      if (hold.allows() !== 'none') more = await sendNext();
      failures = 0;
    } catch (error) {
      if (!(error instanceof NotDone)) throw error;
      if (error.outcome.kind === 'hold') hold.refused(error.outcome);
      await clock.sleep(look + fullJitter(waits, failures, random), over);
      failures += 1;
    }
    if (!more) await clock.sleep(look, over);
  }
}

function createSender(parts: UsageDeliveryParts, report: UsageReport) {
  const { journal, journalId, destination, mlflow, experiments, untilKept, clock } = parts;
  const runIds = new Map<string, string>();

  const ask = async <T>(outcome: Promise<Outcome<T>>): Promise<T> => {
    const answered = await outcome;
    if (answered.kind === 'done') return answered.value;
    if (answered.kind === 'reject' && answered.reason === 'missing') experiments.forget();
    throw new NotDone(answered);
  };

  const keep = (
    series: string,
    state: { experimentId: string; runId?: string; begunAt?: number },
  ) => untilKept(() => journal.keepUsageRun({ day: report.day, series, destination }, state));

  /** Makes the run, or finds the one that was made though nobody heard of it. */
  const makeRun = async (series: string, plan: UsageRunPlan): Promise<string> => {
    const known = report.runs.get(series);
    const experimentId = await ask(experiments.idOf(parts.experiment()));
    const tag = ['sidecar.record_id', plan.recordId] as const;
    const [found] = await ask(mlflow.findRuns(experimentId, tag, plan.startTime));
    if (found !== undefined) {
      await keep(series, { experimentId, runId: found.id });
      return found.id;
    }
    const begunAt = known?.begunAt ?? 0;
    if (clock.now() - begunAt < unclearFor) throw new NotDone({ kind: 'retry', reason: 'unclear' });
    await keep(series, { experimentId, begunAt: clock.now() });
    const { id } = await ask(mlflow.createRun(experimentId, plan));
    await keep(series, { experimentId, runId: id });
    return id;
  };

  const runOf = async (series: string, parent?: string): Promise<string> => {
    const plan = planUsageRun(report, series, journalId, parent);
    const runId = report.runs.get(series)?.runId ?? (await makeRun(series, plan));
    runIds.set(series, runId);
    return runId;
  };

  const send = async (runId: string, points: readonly UsagePoint[]): Promise<void> => {
    for (let first = 0; first < points.length; first += pointsARequest) {
      const metrics = points.slice(first, first + pointsARequest);
      await ask(mlflow.logBatch(runId, { params: [], metrics, tags: [] }));
    }
  };

  return {
    runOf,
    send,
    sendTotals: async (parent: string, now: number) => {
      const at = Math.min(now, report.endsAt);
      const step = Math.floor((at - report.startsAt) / totalsEvery);
      for (const [series, sums] of report.totals) {
        if (series === '' || series.startsWith('errors/')) continue;
        await send(await runOf(series, parent), totalsOf(sums, at, step));
      }
    },
    end: async () => {
      for (const runId of runIds.values()) {
        await ask(mlflow.updateRun(runId, { status: 'FINISHED', endTime: report.endsAt }));
      }
    },
  };
}
