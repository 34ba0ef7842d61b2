import type { DatabaseSync } from 'node:sqlite';
import type { UsageDay, UsageInterval } from '../../call/usage-report.ts';
import type { Intervals } from './intervals.ts';
import {
  addCounts,
  addSum,
  countsIn,
  emptySum,
  noCounts,
  reported,
  sumIn,
  type UsageSum,
} from './usage-sum.ts';

/** Reads the intervals of a day between two of their bounds, in Unix milliseconds. */
export type ReadIntervals = (day: UsageDay, from: number, until: number) => UsageInterval[];

export function createIntervalsReader(
  database: DatabaseSync,
  { endOf, stepOf }: Intervals,
): ReadIntervals {
  // What the settings of earlier made shorter intervals of is added up.
  const within = database.prepare(
    'SELECT * FROM usage WHERE began_at >= ? AND began_at < ? ORDER BY began_at, series',
  );
  const ofAll = database.prepare(
    "SELECT * FROM usage INDEXED BY usage_by_series WHERE series = '' AND began_at >= ? AND began_at < ?",
  );
  const firsts = database.prepare(
    `SELECT series, min(began_at) AS at FROM usage INDEXED BY usage_by_series
     WHERE began_at >= ? AND began_at < ? GROUP BY series`,
  );

  return (day, from, until) => {
    if (from >= until) return [];
    const seenSince = firsts
      .all(day.startsAt, until)
      .map((row) => [String(row['series']), Number(row['at'])] as const);
    const dayTotals = noCounts();
    for (const row of ofAll.all(day.startsAt, from)) addCounts(dayTotals, countsIn(row));

    const intervals: UsageInterval[] = [];
    for (let at = from; at < until; at = endOf(at)) {
      const endsAt = endOf(at);
      const sums = sumsBySeries(within.all(at, endsAt));
      // What has been seen on this day is zero where there is nothing.
      for (const [series, since] of seenSince) {
        if (since < at && !sums.has(series)) sums.set(series, emptySum());
      }
      const all = sums.get('');
      if (all !== undefined) addCounts(dayTotals, all.counts);
      intervals.push({
        step: stepOf(at),
        endsAt,
        sums: new Map([...sums].map(([series, sum]) => [series, reported(sum)])),
        dayTotals: { ...dayTotals },
      });
    }
    return intervals;
  };
}

function sumsBySeries(rows: Record<string, unknown>[]): Map<string, UsageSum> {
  const sums = new Map<string, UsageSum>();
  for (const row of rows) {
    const series = String(row['series']);
    const before = sums.get(series);
    if (before === undefined) sums.set(series, sumIn(row));
    else addSum(before, sumIn(row));
  }
  return sums;
}
