import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { isUnreadable } from './is-damage.ts';

export type Row = Record<string, SQLOutputValue>;

/** Keys that are tried one by one behind a place that cannot be read. */
const stretch = 256;

/**
 * The rows of a damaged table that can be read, in the order of their integer key, few in memory at a
 * time. Where a scan meets a bad page, the next keys are looked up singly, until the scan goes on
 * behind it; a row whose key is out of its order is left out.
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
    /** It is given out when the one behind it has a larger key: a flipped bit may have made its own large. */
    let held: { row: Row; key: number } | undefined;
    try {
      // Without an upper end, at which a key that was made large would end it.
      const scan = database.prepare(`${select} WHERE ${key} >= ? ORDER BY ${key}`);
      for (const row of scan.iterate(next)) {
        const found = Number(row[key]);
        // A damaged page may lead back, or to what no query asked for.
        if (found < next || found > last) continue;
        if (held !== undefined && held.key < found) {
          next = held.key + 1;
          yield held.row;
        }
        held = { row, key: found };
      }
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      isAtEnd = false;
    }
    if (held !== undefined) {
      next = held.key + 1;
      yield held.row;
    }
    if (isAtEnd) return;
    const end = Math.min(next + stretch, last + 1);
    for (; next < end; next += 1) {
      const row = single(database, select, key, next);
      if (row !== undefined) yield row;
    }
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
