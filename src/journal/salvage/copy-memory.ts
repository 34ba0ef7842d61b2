import type { DatabaseSync } from 'node:sqlite';
import { want } from '../call-state.ts';
import { isUnreadable } from './is-damage.ts';
import { type Row, readableRows } from './readable-rows.ts';

/** Copies what can be read beside the calls: names, counts, dead letters, ids of calls gone by. */
export function copyMemory(from: DatabaseSync, to: DatabaseSync, now: number): void {
  to.exec('BEGIN');
  for (const table of tables) copyTable(from, to, table);
  copyDeadLetters(from, to);
  copySeenIds(from, to);
  mendChunks(to, now);
  to.exec('COMMIT');
}

/**
 * A chunk of which only its calls are left is one that is closed. Chunks to come have numbers that none
 * can have had, since their runs go by them.
 */
function mendChunks(to: DatabaseSync, now: number): void {
  to.prepare(
    `INSERT OR IGNORE INTO chunks (id, began_at, ended_at, closed_at, calls, bytes, due_at)
     SELECT chunk, min(received_at), max(received_at), :now, count(*), 0, :now FROM calls
     WHERE wants & ${want.chunk} GROUP BY chunk`,
  ).run({ now });
  to.exec('UPDATE chunks SET closed_at = due_at WHERE closed_at IS NULL');
  to.prepare(
    'INSERT OR REPLACE INTO sqlite_sequence (rowid, name, seq) VALUES ((SELECT rowid FROM sqlite_sequence WHERE name = :name), :name, :seq)',
  ).run({ name: 'chunks', seq: Math.floor(now / 1_000) });
}

const tables = [
  ...['meta', 'ledger', 'experiments'],
  ...['chunks', 'usage', 'usage_names', 'usage_days', 'usage_runs', 'failed_calls'],
];

/**
 * From both ends, so that a bad page in the middle costs itself alone; by the places of the columns, so
 * that a damaged name costs nothing.
 */
function copyTable(from: DatabaseSync, to: DatabaseSync, table: string): void {
  const columns = Number(
    to.prepare('SELECT count(*) AS n FROM pragma_table_info(?)').get(table)?.['n'],
  );
  const marks = Array.from({ length: columns }, () => '?').join(', ');
  const insert = to.prepare(`INSERT OR REPLACE INTO ${table} VALUES (${marks})`);
  for (const order of ['ASC', 'DESC']) {
    const isWhole = tryOut(() => {
      const rows = from.prepare(`SELECT * FROM ${table} ORDER BY 1 ${order}`);
      for (const row of rows.iterate()) tryOut(() => insert.run(...Object.values(row)));
    });
    if (isWhole) return;
  }
}

function copyDeadLetters(from: DatabaseSync, to: DatabaseSync): void {
  const insert = to.prepare(
    `INSERT INTO dead_letters (id, died_at, reason, detail, seq, bytes, sha256, kept)
     SELECT :id, :died_at, :reason, :detail, (SELECT seq FROM calls WHERE seq = :seq AND state = 2),
       :bytes, :sha256, :kept`,
  );
  const last = largestKey(from, 'dead_letters', 'id');
  for (const row of readableRows(from, 'SELECT * FROM dead_letters', 'id', last)) {
    tryOut(() => insert.run(row));
  }
}

function copySeenIds(from: DatabaseSync, to: DatabaseSync): void {
  const register = to.prepare(
    'INSERT INTO seen_buckets (bucket, began_at, entries) VALUES (?, ?, ?)',
  );
  tryOut(() => {
    const buckets: Row[] = from.prepare('SELECT bucket, began_at FROM seen_buckets').all();
    for (const { bucket, began_at } of buckets) {
      const table = `seen_${Number(bucket)}`;
      to.exec(`CREATE TABLE ${table} (id BLOB PRIMARY KEY) STRICT, WITHOUT ROWID`);
      copyTable(from, to, table);
      const entries = Number(to.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']);
      register.run(Number(bucket), Number(began_at), entries);
    }
  });
}

/**
 * The largest key of a table that another tells, too, where it can be read: of three numbers, the
 * middle one is not the one that a flipped bit made large.
 */
export function largestKey(
  database: DatabaseSync,
  table: string,
  key: string,
  twin = table,
): number {
  const numbers = [
    `SELECT max(${key}) AS n FROM ${table}`,
    `SELECT max(${key}) AS n FROM ${twin}`,
    `SELECT seq AS n FROM sqlite_sequence WHERE name = '${table}'`,
  ].flatMap((sql) => {
    let number = 0;
    tryOut(() => {
      number = Number(database.prepare(sql).get()?.['n'] ?? 0);
    });
    return number > 0 ? [number] : [];
  });
  numbers.sort((a, b) => a - b);
  return numbers[numbers.length === 2 ? 0 : numbers.length >> 1] ?? 0;
}

/** Whether it went through; damage must not end a salvage. */
function tryOut(act: () => void): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return false;
  }
}
