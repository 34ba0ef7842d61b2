import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { isUnreadable } from './is-damage.ts';

export type Row = Record<string, SQLOutputValue>;

/** Keys that are tried one by one behind a place that cannot be read. */
const stretch = 256;

/**
 * The rows of a damaged table that can be read, in the order of their integer key, one in memory at
 * a time. Where a scan meets a bad page, the next keys are looked up singly, until the scan goes on
 * behind it; likewise where the scan ends though the table does not, at a key that damage made large.
 *
 * @param select What to read, such as `SELECT seq, record FROM payloads`.
 * @param last The largest key that is looked for.
 */
export function* readableRows(
  database: DatabaseSync,
  select: string,
  key: string,
  last: number,
): Generator<Row> {
  let next = 1;
  while (next <= last) {
    let isAtEnd = true;
    try {
      const scan = database.prepare(`${select} WHERE ${key} >= ? AND ${key} <= ? ORDER BY ${key}`);
      for (const row of scan.iterate(next, last)) {
        const found = Number(row[key]);
        // A damaged page may lead back, or to what no query asked for.
        isAtEnd = found >= next && found <= last;
        if (!isAtEnd) break;
        next = found + 1;
        yield row;
      }
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      isAtEnd = false;
    }
    if (isAtEnd && isBehindAll(database, select, key, next)) return;
    const end = Math.min(next + stretch, last + 1);
    for (; next < end; next += 1) {
      const row = single(database, select, key, next);
      if (row !== undefined) yield row;
    }
  }
}

/** Whether no row has `next` or more for its key, seen from the table's other end. */
function isBehindAll(database: DatabaseSync, select: string, key: string, next: number): boolean {
  try {
    const found = database.prepare(`${select} WHERE ${key} >= ? ORDER BY ${key} DESC LIMIT 1`);
    return found.get(next) === undefined;
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return false;
  }
}

function single(database: DatabaseSync, select: string, key: string, value: number) {
  try {
    return database.prepare(`${select} WHERE ${key} = ?`).get(value);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return undefined;
  }
}
