import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { isUnreadable } from './is-damage.ts';

export type Row = Record<string, SQLOutputValue>;

/** Keys that are tried one by one behind a place that cannot be read. */
const stretch = 256;

/**
 * The rows of a damaged table that can be read, few in memory at a time: forwards up to the first bad
 * page, then backwards from the end up to the last one. Between them keys are looked up singly, until a
 * scan goes on behind the next bad page.
 *
 * A row may come twice, and out of order: a page that stands in another's place gives its rows there, too.
 * A row alone whose key is out of order is left out: a flipped bit may have changed the key.
 *
 * @param select What to read, such as `SELECT seq, record FROM payloads`.
 * @param key The column of the table's integer key.
 * @param last The largest key that is looked for.
 */
export function* readableRows(
  database: DatabaseSync,
  select: string,
  key: string,
  last: number,
): Generator<Row> {
  /** Answers where a bad page ended it: the key of the row before, or `from` where there was none. */
  function* scan(clause: string, step: 1 | -1, from: number): Generator<Row, number | undefined> {
    let at = from;
    const keyOf = (row: Row) => step * Number(row[key]);
    const rows = () => database.prepare(`${select} ${clause}`).iterate();
    const read = inOrder(rows, keyOf);
    for (let one = read.next(); ; one = read.next()) {
      if (one.done) return one.value === 'whole' ? undefined : at;
      const found = Number(one.value[key]);
      // A damaged page may lead to what nobody asked for.
      if (found < 1 || found > last) continue;
      at = found;
      yield one.value;
    }
  }

  // Without bounds: what searches for one trusts the inner pages, and a key that was made large.
  const forwards = yield* scan(`ORDER BY ${key}`, 1, 0);
  if (forwards === undefined) return;
  const backwards = yield* scan(`ORDER BY ${key} DESC`, -1, last + 1);
  if (backwards === undefined) return;

  const single = rowBy(database, `${select} WHERE ${key} = ?`);
  const end = backwards > forwards ? backwards : last + 1;
  let next = forwards + 1;
  while (next < end) {
    for (const stop = Math.min(next + stretch, end); next < stop; next += 1) {
      const row = single(next);
      if (row !== undefined) yield row;
    }
    if (next === end) return;
    const to = yield* scan(`WHERE ${key} >= ${next} ORDER BY ${key}`, 1, next - 1);
    if (to === undefined) return;
    next = Math.max(next, to + 1);
  }
}

/** All rows, up to a bad page, but those that stand between two which are in order without them. */
function* inOrder(
  rows: () => Iterable<Row>,
  keyOf: (row: Row) => number,
): Generator<Row, 'whole' | 'cut short'> {
  let before = Number.NEGATIVE_INFINITY;
  let held: Row | undefined;
  let outcome: 'whole' | 'cut short' = 'whole';
  try {
    for (const row of rows()) {
      if (held !== undefined) {
        const [own, behind] = [keyOf(held), keyOf(row)];
        const isOut = before <= behind && (own < before || own > behind);
        if (!isOut) {
          yield held;
          before = own;
        }
      }
      held = row;
    }
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    outcome = 'cut short';
  }
  if (held !== undefined) yield held;
  return outcome;
}

/** Looks rows up by the one value that `sql` asks for; a row that cannot be read is none. */
export function rowBy(
  database: DatabaseSync,
  sql: string,
): (value: number | Uint8Array) => Row | undefined {
  let find: StatementSync | undefined;
  return (value) => {
    try {
      find ??= database.prepare(sql);
      return find.get(value);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      return undefined;
    }
  };
}
