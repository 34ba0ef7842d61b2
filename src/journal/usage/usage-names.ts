import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { beginningOf } from '../../call/fields.ts';
import type { Transactions } from '../transactions.ts';

/** Which names have series of their own, so that made-up ones in failing calls cannot flood MLflow. */
export interface UsageNames {
  /**
   * The series of a name, such as `model/gpt-4o`. A name that has not been seen in a success, or that
   * comes when there are as many series as may be, belongs to `KIND/(other)`.
   *
   * @param now Unix milliseconds.
   */
  seriesOf(kind: string, name: string, succeeded: boolean, now: number): string;
  /** Forgets names that have not been seen for long, so that others may take their place. */
  forgetOld(now: number): void;
}

const hour = 3_600_000;
/** A name is forgotten after a week, in milliseconds. */
const longestUnseen = 7 * 24 * hour;

export function createUsageNames(
  database: DatabaseSync,
  transactions: Transactions,
  maxSeries: number,
): UsageNames {
  const all = database.prepare('SELECT series, seen_at FROM usage_names');
  const see = database.prepare(
    'INSERT OR REPLACE INTO usage_names (series, seen_at) VALUES (?, ?)',
  );
  const forget = database.prepare('DELETE FROM usage_names WHERE seen_at < ?');
  const read = () =>
    new Map(all.all().map((row) => [String(row['series']), Number(row['seen_at'])]));
  let known = read();

  return {
    seriesOf: (kind, name, succeeded, now) => {
      const series = `${kind}/${shortened(name)}`;
      const seenAt = known.get(series);
      if (seenAt === undefined && (!succeeded || known.size >= maxSeries)) return `${kind}/(other)`;
      // Not each call is worth a write: an hour more or less of a week.
      if (succeeded && (seenAt === undefined || now - seenAt > hour)) {
        transactions.onUndo(() => {
          known = read();
        });
        see.run(series, now);
        known.set(series, now);
      }
      return series;
    },
    forgetOld: (now) => {
      if (forget.run(now - longestUnseen).changes === 0) return;
      transactions.onUndo(() => {
        known = read();
      });
      known = read();
    },
  };
}

const longestName = 180;

/** A long name by its beginning and a hash: no metric's name has room for more. */
function shortened(name: string): string {
  if (name.length <= longestName) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${beginningOf(name, longestName)} ${hash}`;
}
