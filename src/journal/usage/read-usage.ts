import type { DatabaseSync } from 'node:sqlite';
import type { UsageDay, UsageReport, UsageTotals } from '../../call/usage-report.ts';
import { JournalError, totalsEvery } from '../journal.ts';
import type { Intervals } from './intervals.ts';
import { createIntervalsReader } from './read-intervals.ts';
import type { UsageClosings } from './usage-closings.ts';
import type { UsageRuns } from './usage-runs.ts';
import { addSum, emptySum, reported, sumIn } from './usage-sum.ts';

/** The most intervals that are handed out at once. */
const mostIntervals = 24;
/** How long after its end a day's totals are tried, in milliseconds, while its own run has ended. */
const longestTried = 7 * 86_400_000;
/** A day so far ahead was begun by a clock that was wrong. */
const farAhead = 86_400_000;

export interface ReaderParts {
  database: DatabaseSync;
  intervals: Intervals;
  closings: UsageClosings;
  runs: UsageRuns;
}

/** Reads what is to be sent: see `journal.ts`. */
export function createUsageReader({ database, intervals, closings, runs }: ReaderParts) {
  const firstSince = database.prepare('SELECT min(began_at) AS at FROM usage WHERE began_at >= ?');
  const lastBefore = database.prepare('SELECT max(began_at) AS at FROM usage WHERE began_at < ?');
  const nextOpen = database.prepare(
    `SELECT u.series,
       coalesce(r.sent_until, 0) < CASE WHEN :closed THEN :until ELSE 1 END
         OR (r.sent_until <= :now - ${totalsEvery}
           AND (:closed OR u.last + ${intervals.ms} > r.sent_until)) AS is_due
     FROM (
       SELECT series, max(began_at) AS last FROM usage INDEXED BY usage_by_series
       WHERE series > '' AND NOT series GLOB 'errors/*' AND began_at >= :from AND began_at < :until
       GROUP BY series
     ) u LEFT JOIN usage_runs r
       ON r.day = :day AND r.series = u.series AND r.destination = :destination
     WHERE coalesce(r.ended, 0) = 0
     ORDER BY is_due DESC, coalesce(r.sent_until, 0) LIMIT 1`,
  );
  const ofSeries = database.prepare(
    'SELECT * FROM usage INDEXED BY usage_by_series WHERE series = ? AND began_at >= ? AND began_at < ?',
  );
  const forgetUsage = database.prepare('DELETE FROM usage WHERE began_at >= ? AND began_at < ?');
  const forgetDay = ({ day, startsAt, endsAt }: UsageDay) => {
    forgetUsage.run(startsAt, endsAt);
    runs.forgetDay(day);
  };
  const readIntervals = createIntervalsReader(database, intervals);

  /** The days of which something is kept, from the first that begins at or after `from`. */
  function* days(from: number): Generator<UsageDay> {
    for (let since = from; ; ) {
      const at = firstSince.get(since)?.['at'];
      if (typeof at !== 'number') return;
      const day = intervals.dayOf(at);
      yield day;
      since = day.endsAt;
    }
  }

  const reportOf = (day: UsageDay, destination: string, now: number): UsageReport | undefined => {
    const run = runs.find({ day: day.day, series: '', destination });
    if (run.ended) return undefined;
    const isOver = now >= day.endsAt || now < day.startsAt - farAhead;
    const first = Number(firstSince.get(day.startsAt)?.['at']);
    const last = Number(lastBefore.get(day.endsAt)?.['at']);
    const from = Math.max(first, run.sentUntil);
    // A day that is over ends with its last call: nothing more is said of the rest.
    const end = isOver ? intervals.endOf(last) : intervals.beginningOf(now);
    if (end <= from && !isOver) return undefined;
    let until = from;
    for (let count = 0; count < mostIntervals && until < end; count += 1) {
      until = intervals.endOf(until);
    }
    const isLast = isOver && until >= end;
    closings.close(day, isLast ? day.endsAt : until);
    return { ...day, run, intervals: readIntervals(day, from, until), isOver, isLast };
  };

  const totalsOf = (day: UsageDay, destination: string, now: number): UsageTotals | undefined => {
    const parent = runs.find({ day: day.day, series: '', destination });
    const isLast = closings.isClosed(day);
    const open = nextOpen.get({
      ...{ day: day.day, destination, from: day.startsAt, until: day.endsAt, now },
      closed: isLast ? 1 : 0,
    });
    const parentRunId = parent.runId;
    const isDone = open === undefined || parentRunId === undefined;
    if (isDone || open['is_due'] !== 1) {
      if (parent.ended && (isDone || now > day.endsAt + longestTried)) forgetDay(day);
      return undefined;
    }
    const series = String(open['series']);
    const rows = ofSeries.all(series, day.startsAt, day.endsAt);
    // It would be due for ever: no run that it gets is of its name.
    if (rows.length === 0) {
      throw new JournalError('JOURNAL_DAMAGED', 'the index of what usage is of is damaged');
    }
    const sum = emptySum();
    for (const row of rows) addSum(sum, sumIn(row));
    const run = runs.find({ day: day.day, series, destination });
    return { ...day, series, run, parentRunId, sums: reported(sum), isLast };
  };

  return {
    report: (destination: string, now: number, from: number): UsageReport | undefined => {
      for (const day of days(from)) {
        const report = reportOf(day, destination, now);
        if (report !== undefined) return report;
      }
      return undefined;
    },
    totals: (destination: string, now: number): UsageTotals | undefined => {
      for (const day of days(0)) {
        const totals = totalsOf(day, destination, now);
        if (totals !== undefined) return totals;
      }
      return undefined;
    },
  };
}
