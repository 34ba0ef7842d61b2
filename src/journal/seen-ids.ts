import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Transactions } from './transactions.ts';

/** How long, and how many, ids of calls that have left the journal are remembered. */
export interface SeenLimits {
  maxAgeMs: number;
  maxEntries: number;
}

/**
 * The ids of calls that have left the journal, so that a late re-post is still known. What is in the
 * journal is known by the calls' own table; so the memory always covers the backlog.
 *
 * They lie in buckets, a table each, that are dropped whole: forgetting costs no search. An id is its
 * first 16 bytes; at five million entries a clash is a matter of 10^-26.
 */
export interface SeenIds {
  has(recordId: Buffer): boolean;
  /** @param now Unix milliseconds. */
  add(recordId: Buffer, now: number): void;
}

const bucketsInAll = 8;
const idLength = 16;

interface Bucket {
  number: number;
  beganAt: number;
  entries: number;
  find: StatementSync;
  insert: StatementSync;
}

export function createSeenIds(
  database: DatabaseSync,
  transactions: Transactions,
  limits: SeenLimits,
): SeenIds {
  const register = database.prepare(
    'INSERT INTO seen_buckets (bucket, began_at, entries) VALUES (?, ?, 0)',
  );
  const count = database.prepare('UPDATE seen_buckets SET entries = entries + 1 WHERE bucket = ?');
  const forget = database.prepare('DELETE FROM seen_buckets WHERE bucket = ?');
  const bucketAge = limits.maxAgeMs / bucketsInAll;
  const bucketSize = Math.ceil(limits.maxEntries / bucketsInAll);

  const open = (number: number, beganAt: number, entries: number): Bucket => ({
    number,
    beganAt,
    entries,
    find: database.prepare(`SELECT 1 FROM seen_${number} WHERE id = ?`),
    insert: database.prepare(`INSERT OR IGNORE INTO seen_${number} (id) VALUES (?)`),
  });

  const findBuckets = database.prepare(
    'SELECT bucket, began_at, entries FROM seen_buckets ORDER BY bucket DESC',
  );
  const readBuckets = () =>
    findBuckets
      .all()
      .map((row) => open(Number(row['bucket']), Number(row['began_at']), Number(row['entries'])));

  /** Newest first. */
  let buckets = readBuckets();

  const begin = (now: number): Bucket => {
    const number = (buckets[0]?.number ?? 0) + 1;
    database.exec(`CREATE TABLE seen_${number} (id BLOB PRIMARY KEY) STRICT, WITHOUT ROWID`);
    register.run(number, now);
    const bucket = open(number, now, 0);
    buckets.unshift(bucket);
    dropOld(now);
    return bucket;
  };

  /** A bucket ends where the next begins; it is too old when its last entry is. */
  const dropOld = (now: number): void => {
    for (;;) {
      const oldest = buckets.at(-1);
      const end = buckets.at(-2)?.beganAt;
      if (oldest === undefined || end === undefined) return;
      if (buckets.length <= bucketsInAll && now - end <= limits.maxAgeMs) return;
      database.exec(`DROP TABLE seen_${oldest.number}`);
      forget.run(oldest.number);
      buckets.pop();
    }
  };

  return {
    has: (recordId) => {
      const id = recordId.subarray(0, idLength);
      return buckets.some((bucket) => bucket.find.get(id) !== undefined);
    },
    add: (recordId, now) => {
      transactions.onUndo(() => {
        buckets = readBuckets();
      });
      const newest = buckets[0];
      const fits = newest && newest.entries < bucketSize && now - newest.beganAt < bucketAge;
      const bucket = fits ? newest : begin(now);
      bucket.insert.run(recordId.subarray(0, idLength));
      count.run(bucket.number);
      bucket.entries += 1;
    },
  };
}
