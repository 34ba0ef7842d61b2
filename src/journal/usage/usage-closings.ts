import type { DatabaseSync } from 'node:sqlite';
import type { UsageDay } from '../../call/usage-report.ts';
import type { Transactions } from '../transactions.ts';
import type { Intervals } from './intervals.ts';

/**
 * What has been reported of each day, and is closed to calls: also to those that come late, after a
 * kill, or when the clock was set back. They count in the next interval that is open. A day that a
 * wrong clock closed too early is passed over; others are not touched by it.
 */
export interface UsageClosings {
  /** The beginning of the interval in which a call of `now` counts; Unix milliseconds. */
  intervalOf(now: number): number;
  close(day: UsageDay, until: number): void;
  isClosed(day: UsageDay): boolean;
  /** Forgets days long gone by. */
  forgetOld(now: number): void;
}

const longestKept = 31 * 86_400_000;

export function createUsageClosings(
  database: DatabaseSync,
  transactions: Transactions,
  { dayOf, beginningOf }: Intervals,
): UsageClosings {
  const all = database.prepare('SELECT day, closed_until FROM usage_days');
  const put = database.prepare(
    'INSERT OR REPLACE INTO usage_days (day, closed_until) VALUES (?, ?)',
  );
  const forget = database.prepare('DELETE FROM usage_days WHERE closed_until < ?');
  const read = () =>
    new Map(all.all().map((row) => [String(row['day']), Number(row['closed_until'])]));
  let closedUntil = read();
  const readAgain = () => {
    closedUntil = read();
  };

  return {
    intervalOf: (now) => {
      for (let at = now; ; ) {
        const { day, endsAt } = dayOf(at);
        const closed = closedUntil.get(day) ?? 0;
        at = Math.max(at, closed);
        if (at < endsAt) return Math.max(beginningOf(at), closed);
        at = endsAt;
      }
    },
    close: ({ day }, until) => {
      if (until <= (closedUntil.get(day) ?? 0)) return;
      put.run(day, until);
      closedUntil.set(day, until);
      transactions.onUndo(readAgain);
    },
    isClosed: ({ day, endsAt }) => (closedUntil.get(day) ?? 0) >= endsAt,
    forgetOld: (now) => {
      if (forget.run(now - longestKept).changes === 0) return;
      readAgain();
      transactions.onUndo(readAgain);
    },
  };
}
