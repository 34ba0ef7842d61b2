import type { DatabaseSync } from 'node:sqlite';
import type { CallRecord } from '../../call/call-record.ts';
import type { UsageReport, UsageRunState } from '../../call/usage-report.ts';
import type { Transactions } from '../transactions.ts';
import { createFailureForgetting, createUsageCounter, type UsageKey } from './count-usage.ts';
import { localDays } from './local-day.ts';
import { createUsageReader } from './read-usage.ts';
import { createUsageNames } from './usage-names.ts';

export interface UsageOptions {
  /** Milliseconds, a whole part of an hour. */
  intervalMs: number;
  /** Of the days: an IANA name. */
  timeZone: string;
  by: readonly UsageKey[];
  maxSeries: number;
}

/** What calls add up to over time, each call once: counted in the transaction that takes it in. */
export interface Usage {
  add(call: CallRecord): void;
  /** Adds what was noted to the interval of `now` (Unix milliseconds). */
  write(now: number): void;
  report(destination: string, now: number): UsageReport | undefined;
  /** Keeps how far the run of a series has come, towards a destination. */
  keepRun(day: string, series: string, destination: string, run: UsageRunState): void;
  /** The intervals of a day until `until` have been sent; the last ones, when `isLast`. */
  sent(report: Pick<UsageReport, 'day' | 'startsAt' | 'endsAt' | 'isLast'>, until: number): void;
  /** Forgets what is not needed any more. */
  tidy(now: number): void;
}

export function createUsage(
  database: DatabaseSync,
  transactions: Transactions,
  { intervalMs, timeZone, by, maxSeries }: UsageOptions,
): Usage {
  const dayOf = localDays(timeZone);
  const names = createUsageNames(database, transactions, maxSeries);
  const readSentUntil = () =>
    Number(database.prepare('SELECT max(sent_until) AS at FROM usage_runs').get()?.['at'] ?? 0);
  /** What was reported or sent is closed for good, also for a late call or a clock that is set back. */
  let closedUntil = readSentUntil();
  const intervalOf = (now: number): number => {
    const at = Math.max(now, closedUntil);
    const { startsAt } = dayOf(at);
    return startsAt + Math.floor((at - startsAt) / intervalMs) * intervalMs;
  };
  const counter = createUsageCounter({ database, transactions, names, by, intervalOf });
  const readReport = createUsageReader({ database, dayOf, intervalMs });
  const forgetFailures = createFailureForgetting(database);
  const keepRun = database.prepare(
    `INSERT INTO usage_runs (day, series, destination, experiment_id, run_id, begun_at, sent_until)
     VALUES (:day, :series, :destination, :experimentId, :runId, :begunAt, 0)
     ON CONFLICT (day, series) DO UPDATE SET
       experiment_id = excluded.experiment_id, run_id = excluded.run_id, begun_at = excluded.begun_at,
       sent_until = CASE WHEN destination = excluded.destination THEN sent_until ELSE 0 END,
       destination = excluded.destination`,
  );
  const setSent = database.prepare(
    "UPDATE usage_runs SET sent_until = ? WHERE day = ? AND series = ''",
  );
  const forgetDay = [
    'DELETE FROM usage WHERE began_at >= :from AND began_at < :until',
    'DELETE FROM usage_latencies WHERE began_at >= :from AND began_at < :until',
  ].map((sql) => database.prepare(sql));
  const forgetRuns = database.prepare('DELETE FROM usage_runs WHERE day = ?');

  return {
    add: counter.add,
    write: counter.write,
    report: (destination, now) => {
      const report = readReport(destination, now);
      closedUntil = Math.max(closedUntil, report?.intervals.at(-1)?.endsAt ?? 0);
      return report;
    },
    keepRun: (day, series, destination, { experimentId, runId = null, begunAt = null }) => {
      keepRun.run({ day, series, destination, experimentId, runId, begunAt });
    },
    sent: ({ day, startsAt, endsAt, isLast }, until) => {
      setSent.run(until, day);
      if (!isLast) return;
      closedUntil = Math.max(closedUntil, endsAt);
      for (const forget of forgetDay) forget.run({ from: startsAt, until: endsAt });
      forgetRuns.run(day);
    },
    tidy: (now) => {
      forgetFailures(now);
      names.forgetOld(now);
    },
  };
}
