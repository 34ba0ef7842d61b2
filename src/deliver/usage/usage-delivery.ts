import type { UsageReport, UsageTotals } from '../../call/usage-report.ts';
import { type Journal, totalsEvery, type UsageRunKey } from '../../journal/journal.ts';
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
  /** The name of the experiment of days that begin now. */
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
   * Sends the days at once, with the interval of now, which is closed early: what comes later counts in
   * the next.
   *
   * @param until Now and the length of an interval, in Unix milliseconds.
   * @returns Whether nothing is left that another try could send.
   */
  flush(until: number): Promise<boolean>;
  /**
   * Sends the totals of each series of which calls have come since its run was sent some, without regard
   * to the hour and the pace; once the days have been sent.
   *
   * @param since Runs that were sent their totals from then on have them; Unix milliseconds.
   * @returns Whether nothing is left that another try could send.
   */
  flushTotals(since: number): Promise<boolean>;
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
  /** The series whose totals failed the last time, with their day: their runs pass for sent to. */
  const failed = new Map<string, string>();
  const mayGoOn = () => !over.aborted && hold.allows() !== 'none';

  let turn: Promise<unknown> = Promise.resolve();
  /** One after the other: two at once would make two runs of a day. */
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const acting = turn.then(() => act());
    turn = acting.catch(() => undefined);
    return acting;
  };

  /**
   * Sends what has closed by `until`, with as many days as there are. `isWell`: nothing failed that is to
   * be tried less often; `isAll`: nothing is left that another try could send.
   */
  const sendDays = async (
    until: () => number = clock.now,
  ): Promise<{ isWell: boolean; isAll: boolean }> => {
    let isWell = true;
    let isAll = true;
    for (let from = 0; mayGoOn(); ) {
      const report = await untilKept(() => journal.usageReport(destination, until(), from));
      if (report === undefined) return { isWell, isAll };
      const failure = await sendDay(parts, report, size);
      if (failure === undefined) {
        seriesDueAt = clock.ticks();
        continue;
      }
      if (mayPass(failure)) isAll = false;
      // What has a time of its own to wait for is no reason to look less often.
      if (failure.kind !== 'retry' || failure.afterMs === undefined) isWell = false;
      if (failure.kind === 'hold') hold.refused(failure);
      from = report.endsAt;
    }
    return { isWell, isAll: false };
  };

  /** Sends totals; what fails is known until it succeeds. True: another try cannot change what failed. */
  const sendOne = async (totals: UsageTotals, now: number): Promise<boolean> => {
    const failure = await sendTotals(parts, totals, now, size);
    if (failure?.kind === 'hold') hold.refused(failure);
    const isOver = failure === undefined || !mayPass(failure);
    if (isOver) failed.delete(totals.series);
    else failed.set(totals.series, totals.day);
    return isOver;
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
      await sendOne(totals, now);
    }
  };

  const flushTotals = async (since: number): Promise<boolean> => {
    for (const [series, day] of failed) {
      const key: UsageRunKey = { day, series, destination };
      await untilKept(() => journal.usageSent(key, { until: 0, ended: false }));
    }
    // Due is whatever was not sent for an hour: all that was not sent since then, an hour later.
    const dueBy = since + totalsEvery - 1;
    for (let isAll = true; mayGoOn(); ) {
      const totals = await untilKept(() => journal.usageTotals(destination, dueBy));
      if (totals === undefined) return isAll;
      isAll = (await sendOne(totals, clock.now())) && isAll;
    }
    return false;
  };

  return {
    run: async () => {
      for (let failures = 0; !over.aborted; ) {
        failures = (await inTurn(sendDays)).isWell ? 0 : failures + 1;
        await inTurn(sendSeries);
        const more = failures === 0 ? 0 : fullJitter(waits, failures - 1, random);
        await clock.sleep(look + more, over);
      }
    },
    flush: (until) => inTurn(async () => (await sendDays(() => until)).isAll),
    flushTotals: (since) => inTurn(() => flushTotals(since)),
  };
}

/** Whether it may go well at another try. */
function mayPass(failure: Failure): boolean {
  return failure.kind !== 'reject' || failure.reason === 'missing';
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
