import type { DatabaseSync } from 'node:sqlite';
import type { CallRecord } from '../../call/call-record.ts';
import type { UsageReport, UsageRunState, UsageTotals } from '../../call/usage-report.ts';
import type { SentUsage, UsageRunKey } from '../journal.ts';
import type { Transactions } from '../transactions.ts';
import { createUsageCounter, type UsageKey } from './count-usage.ts';
import { createFailedCalls } from './failed-calls.ts';
import { createIntervals } from './intervals.ts';
import { createUsageReader } from './read-usage.ts';
import { createUsageClosings } from './usage-closings.ts';
import { createUsageNames } from './usage-names.ts';
import { createUsageRuns } from './usage-runs.ts';

export interface UsageOptions {
  /** Milliseconds, whole minutes, an hour at most. */
  intervalMs: number;
  /** Of the days: an IANA name. */
  timeZone: string;
  by: readonly UsageKey[];
  /** The most models, teams and keys with sums of their own. */
  maxSeries: number;
}

/**
 * What calls add up to over time, each call once: counted in the transaction that takes it in. All
 * times are in Unix milliseconds; what is handed out is told in `journal.ts`.
 */
export interface Usage {
  add(call: CallRecord): void;
  /** Adds what was noted to the interval of `now`. */
  write(now: number): void;
  report(destination: string, now: number, from: number): UsageReport | undefined;
  totals(destination: string, now: number): UsageTotals | undefined;
  keepRun(run: UsageRunKey, state: UsageRunState): void;
  sent(run: UsageRunKey, sent: SentUsage): void;
  /** Forgets what is not needed any more. */
  tidy(now: number): void;
}

export function createUsage(
  database: DatabaseSync,
  transactions: Transactions,
  { intervalMs, timeZone, by, maxSeries }: UsageOptions,
): Usage {
  const intervals = createIntervals(timeZone, intervalMs);
  const closings = createUsageClosings(database, transactions, intervals);
  const names = createUsageNames(database, transactions, maxSeries);
  const failedCalls = createFailedCalls(database);
  const { intervalOf } = closings;
  const counter = createUsageCounter({
    database,
    transactions,
    names,
    failedCalls,
    by,
    intervalOf,
  });
  const runs = createUsageRuns(database);
  const { report, totals } = createUsageReader({ database, intervals, closings, runs });
  return {
    add: counter.add,
    write: counter.write,
    report,
    totals,
    keepRun: runs.keep,
    sent: runs.sent,
    tidy: (now) => {
      failedCalls.forgetOld(now);
      names.forgetOld(now);
      closings.forgetOld(now);
    },
  };
}
