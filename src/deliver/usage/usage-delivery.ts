import type { UsageReport, UsageTotals } from '../../call/usage-report.ts';
import type { Journal, UsageRunKey } from '../../journal/journal.ts';
import type { MlflowClient } from '../../mlflow/client.ts';
import type { Outcome } from '../../mlflow/outcome.ts';
import {
  planDayRun,
  planSeriesRun,
  pointsOf,
  totalsPoints,
} from '../../record/usage/plan-usage.ts';
import { partsOf } from '../../record/usage/series-name.ts';
import { type Backoff, fullJitter } from '../backoff.ts';
import type { Clock } from '../clock.ts';
import type { Experiments } from '../experiments.ts';
import type { Hold } from '../hold.ts';
import type { UntilKept } from '../until-kept.ts';
import { createPace } from './pace.ts';
import { createRequestSize, type RequestSize, sendPoints } from './send-points.ts';
import { usageRunId } from './usage-run.ts';

export interface UsageDeliveryParts {
  journal: Pick<Journal, 'usageReport' | 'usageTotals' | 'keepUsageRun' | 'usageSent'>;
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
  /** Told of what MLflow would not take, and will not be sent again. */
  onLoss: (day: string, what: string) => void;
}

type Failure = Exclude<Outcome<unknown>, { kind: 'done' }>;

/** How often it looks whether an interval has closed, in milliseconds. */
const look = 5_000;
/** And whether a series is due; the journal has to look at all of them. */
const seriesLook = 60_000;
const waits: Backoff = { first: 2_000, longest: 300_000 };
/** Requests for the runs of series: 300 keys take less than a tenth of a request a second. */
const seriesBurst = 60;
const seriesEvery = 18_000;

export interface UsageDelivery {
  /** Goes on until `over` ends it. */
  run(): Promise<void>;
  /**
   * Sends what is there at once, the interval of now included, which is closed early: what comes
   * later counts in the next.
   *
   * @param intervalMs Its length.
   */
  flush(intervalMs: number): Promise<void>;
}

/**
 * Sends what calls add up to, once each interval has closed: a run a day, in one request an interval;
 * and, at a pace of its own, a run for each series with the totals of the day, at most each hour and
 * when the day has ended. A day that MLflow does not take holds up no other.
 */
export function createUsageDelivery(parts: UsageDeliveryParts): UsageDelivery {
  const { journal, destination, hold, untilKept, clock, random, over } = parts;
  const size = createRequestSize();
  const pace = createPace(clock, seriesBurst, seriesEvery);
  let seriesDueAt = clock.ticks();
  const mayGoOn = () => !over.aborted && hold.allows() !== 'none';

  let turn: Promise<unknown> = Promise.resolve();
  /** One after the other: two at once would make two runs of a day. */
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const acting = turn.then(act);
    turn = acting.catch(() => undefined);
    return acting;
  };

  /** Whether all went well, with as many days as there are. `ahead`: as if it were so much later. */
  const sendDays = async (ahead = 0): Promise<boolean> => {
    let isWell = true;
    for (let from = 0; mayGoOn(); ) {
      const now = clock.now() + ahead;
      const report = await untilKept(() => journal.usageReport(destination, now, from));
      if (report === undefined) return isWell;
      const failure = await sendDay(parts, report, size);
      if (failure === undefined) {
        seriesDueAt = clock.ticks();
        continue;
      }
      // What has a time of its own to wait for is no reason to look less often.
      if (failure.kind !== 'retry' || failure.afterMs === undefined) isWell = false;
      if (failure.kind === 'hold') hold.refused(failure);
      from = report.endsAt;
    }
    return isWell;
  };

  const sendSeries = async (): Promise<void> => {
    while (mayGoOn() && pace.allows() && clock.ticks() >= seriesDueAt) {
      const now = clock.now();
      const totals = await untilKept(() => journal.usageTotals(destination, now));
      if (totals === undefined) {
        seriesDueAt = clock.ticks() + seriesLook;
        return;
      }
      pace.spend((totals.run.runId === undefined ? 3 : 1) + (totals.isLast ? 1 : 0));
      const failure = await sendTotals(parts, totals, now, size);
      if (failure?.kind === 'hold') hold.refused(failure);
    }
  };

  return {
    run: async () => {
      for (let failures = 0; !over.aborted; ) {
        failures = (await inTurn(sendDays)) ? 0 : failures + 1;
        await inTurn(sendSeries);
        const more = failures === 0 ? 0 : fullJitter(waits, failures - 1, random);
        await clock.sleep(look + more, over);
      }
    },
    flush: async (intervalMs) => {
      await inTurn(() => sendDays(intervalMs));
    },
  };
}

async function sendDay(
  parts: UsageDeliveryParts,
  report: UsageReport,
  size: RequestSize,
): Promise<Failure | undefined> {
  const { journal, journalId, destination, mlflow, untilKept, onLoss } = parts;
  const { day, endsAt } = report;
  const key: UsageRunKey = { day, series: '', destination };
  const sent = (until: number, ended: boolean) =>
    untilKept(() => journal.usageSent(key, { until, ended }));

  const send = async (): Promise<Outcome<unknown>> => {
    const run = await usageRunId(parts, key, report.run, planDayRun(report, journalId));
    if (run.kind !== 'done') return run;
    const points = await sendPoints(mlflow, run.value, report.intervals.flatMap(pointsOf), size);
    if (points.kind !== 'done') return points;
    if (points.value > 0) onLoss(day, `${points.value} points`);
    return report.isLast
      ? mlflow.updateRun(run.value, { status: 'FINISHED', endTime: endsAt })
      : run;
  };

  const outcome = await send();
  if (outcome.kind === 'done') {
    await sent(report.intervals.at(-1)?.endsAt ?? endsAt, report.isLast);
    return undefined;
  }
  if (outcome.kind !== 'reject') return outcome;
  // What a server in place of the one before does not know is made there anew, from the day's beginning.
  if (outcome.reason === 'missing') await untilKept(() => journal.keepUsageRun(key, {}));
  // As long as it lasts, a person may take a deletion back.
  else if (report.isOver) {
    await sent(endsAt, true);
    onLoss(day, 'the rest of the day');
    return undefined;
  }
  return outcome;
}

/** What fails is tried again when the series is due the next time. */
async function sendTotals(
  parts: UsageDeliveryParts,
  totals: UsageTotals,
  now: number,
  size: RequestSize,
): Promise<Failure | undefined> {
  const { journal, journalId, destination, mlflow, untilKept, onLoss } = parts;
  const { day, series, startsAt, endsAt, isLast } = totals;
  const key: UsageRunKey = { day, series, destination };
  const at = isLast ? endsAt : Math.min(Math.max(now, startsAt), endsAt - 1);

  const send = async (): Promise<Outcome<unknown>> => {
    const run = await usageRunId(parts, key, totals.run, planSeriesRun(totals, journalId));
    if (run.kind !== 'done') return run;
    const points = await sendPoints(mlflow, run.value, totalsPoints(totals, at), size);
    if (points.kind !== 'done' || !isLast) return points;
    return mlflow.updateRun(run.value, { status: 'FINISHED', endTime: endsAt });
  };

  const outcome = await send();
  if (outcome.kind === 'hold') return outcome;
  const isMissing = outcome.kind === 'reject' && outcome.reason === 'missing';
  if (isMissing && totals.run.runId !== undefined) {
    await untilKept(() => journal.keepUsageRun(key, {}));
    return outcome;
  }
  const isLost = outcome.kind === 'reject' && isLast;
  if (isLost) onLoss(day, `the totals of a ${partsOf(series).kind}`);
  const ended = isLast && (outcome.kind === 'done' || isLost);
  const until = isLast ? Math.max(now, endsAt) : at;
  await untilKept(() => journal.usageSent(key, { until, ended }));
  return outcome.kind === 'done' ? undefined : outcome;
}
