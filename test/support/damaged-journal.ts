import assert from 'node:assert/strict';
import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import type { Account } from '../../src/journal/account.ts';
import { JournalError, type PendingCall } from '../../src/journal/journal.ts';
import { openSqliteJournal, type SqliteJournal } from '../../src/journal/sqlite-journal.ts';
import { bodyOf, litellmEvent } from './litellm-event.ts';
import { tempFolder } from './temp-folder.ts';

export const postedAt = 1_700_000_000_000;
export const server = 'http://mlflow.test';

export function openIn(folder: string): SqliteJournal {
  return openSqliteJournal({
    folder,
    maxBytes: 100_000_000,
    retainMs: 3_600_000,
    dedupeEntries: 10_000,
    dedupeMs: 86_400_000,
    experiment: '/e',
    usage: { intervalMs: 300_000, timeZone: 'UTC', by: ['model', 'team'], maxSeries: 100 },
  });
}

/** Runs one command, as the thread would, and gives what it answers or throws. */
export function run<T>(journal: SqliteJournal, command: (journal: SqliteJournal) => T): T {
  const [result] = journal.run([() => command(journal)]);
  if (result?.status === 'fulfilled') return result.value;
  throw result?.reason;
}

export function append(journal: SqliteJournal, number: number, changes = {}): void {
  run(journal, (own) => own.append(bodyOf(litellmEvent(number, changes)), postedAt));
}

/** Steps that append so many calls, each in a commit of its own. */
export const calls = (count: number) =>
  Array.from(
    { length: count },
    (_, index) => (journal: SqliteJournal) => append(journal, index + 1),
  );
/** The ids of these calls, sorted. */
export const idsUpTo = (count: number) =>
  Array.from({ length: count }, (_, index) => `call-${index + 1}`).sort();

export const account = (journal: SqliteJournal): Account => run(journal, (own) => own.account());

const hour = 3_600_000;

/** Every call that can be had, those included that a flipped bit makes wait for as long as any may. */
export function allCalls(journal: SqliteJournal): PendingCall[] {
  return run(journal, (own) => own.take(10_000, server, Date.now() + 2 * hour)).calls;
}

/** Ends the first two of some calls: one is recorded, one is dead. */
export function endTwo(journal: SqliteJournal, [first, second]: PendingCall[]): void {
  assert.ok(first && second);
  run(journal, (own) => own.settle(first.seq, { kind: 'recorded' }, 1));
  run(journal, (own) => own.settle(second.seq, { kind: 'dead', reason: 'r', detail: 'd' }, 1));
  journal.tidy(Date.now());
}

export function callIds(calls: PendingCall[]): string[] {
  return calls.map((call) => String(call.record.callId)).sort();
}

/**
 * A journal as a kill leaves it: what `fill` did, each in a commit of its own. `inLog`: what was done
 * last lies in the write-ahead log; else all lies in the database.
 */
export function killedJournal(
  t: TestContext,
  fill: ((journal: SqliteJournal) => unknown)[],
  inLog: boolean,
  open = openIn,
): string {
  const live = tempFolder(t);
  const folder = tempFolder(t);
  const journal = open(live);
  for (const step of fill) step(journal);
  if (!inLog) journal.close();
  for (const file of ['journal.db', 'journal.db-wal', 'ballast']) {
    if (existsSync(join(live, file))) copyFileSync(join(live, file), join(folder, file));
  }
  if (inLog) journal.close();
  return folder;
}

export function flipBit(path: string, byte: number, bit = 0): void {
  const file = openSync(path, 'r+');
  const one = Buffer.alloc(1);
  readSync(file, one, 0, 1, byte);
  one.writeUInt8(one.readUInt8(0) ^ (1 << bit));
  writeSync(file, one, 0, 1, byte);
  closeSync(file);
}

export function overwrite(path: string, at: number, bytes: Buffer): void {
  const all = readFileSync(path);
  bytes.copy(all, at);
  writeFileSync(path, all);
}

/** Opens the journal, as a supervisor does: anew, when damage ended the process, also in its stop. */
export function withRestarts<T>(
  folder: string,
  act: (journal: SqliteJournal) => T,
  open = openIn,
): T {
  for (let restarts = 0; ; restarts += 1) {
    const journal = open(folder);
    const acted = attempt(() => act(journal));
    const closed = attempt(() => journal.close());
    const error = acted.error ?? closed.error;
    if (error === undefined) return acted.value as T;
    const isDamage = error instanceof JournalError && error.code === 'JOURNAL_DAMAGED';
    if (!isDamage || restarts === 3) throw error;
  }
}

function attempt<T>(act: () => T): { value?: T; error?: unknown } {
  try {
    return { value: act() };
  } catch (error) {
    return { error };
  }
}

/** What has to hold of every salvaged journal. */
export function assertWorks(journal: SqliteJournal): void {
  assert.ok(account(journal).addsUp, JSON.stringify(account(journal)));
  const before = account(journal).pending;
  append(journal, 9_999);
  assert.equal(account(journal).pending, before + 1);
  assert.ok(account(journal).addsUp);
}

export function assertSetAside(journal: SqliteJournal, ...names: RegExp[]): void {
  const paths = journal.damage?.setAside ?? [];
  assert.equal(paths.length, names.length, paths.join());
  names.forEach((name, index) => {
    const path = paths[index] ?? '';
    assert.match(path, name);
    assert.match(path, /set-aside\/\d{8}T\d{6}\.\d{3}Z-/);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });
}

/** Of a journal's files, in bytes. */
export const page = 4096;
export const header = 32;
export const frame = 24 + page;

export const logOf = (folder: string) => join(folder, 'journal.db-wal');
export const databaseOf = (folder: string) => join(folder, 'journal.db');

/** Where each commit in a write-ahead log ends, in frames. */
export function commitsIn(file: string): number[] {
  const log = readFileSync(file);
  const frames = Math.floor((log.length - header) / frame);
  return Array.from({ length: frames }, (_, index) => index + 1).filter(
    (end) => log.readUInt32BE(header + (end - 1) * frame + 4) !== 0,
  );
}

export function overwriteRoot(folder: string, table: string): void {
  overwrite(databaseOf(folder), (rootOf(folder, table) - 1) * page, Buffer.alloc(page, 0xa5));
}

/** Overwrites one of the leaves of a table that has several. */
export function overwriteLeaf(folder: string, table: string): void {
  overwrite(databaseOf(folder), leafOf(folder, table), Buffer.alloc(page, 0xa5));
}

/** Sets the key of a leaf's first row, which is up to 127. */
export function setKeyOfLeaf(folder: string, table: string, key: number): void {
  const leaf = leafOf(folder, table);
  const firstCell = leaf + readFileSync(databaseOf(folder)).readUInt16BE(leaf + 8);
  // It comes behind the row's length, which takes two bytes from 128 on.
  overwrite(databaseOf(folder), firstCell + 2, Buffer.from([key]));
}

/** Gives the row of a table another key; both are up to 127. */
export function setKey(folder: string, table: string, key: number, other: number): void {
  const bytes = readFileSync(databaseOf(folder));
  for (const leaf of leavesOf(folder, table)) {
    for (let cell = 0; cell < bytes.readUInt16BE(leaf + 3); cell += 1) {
      let at = leaf + bytes.readUInt16BE(leaf + 8 + 2 * cell);
      // Behind the row's length, of which each byte but the last has the highest bit.
      while (bytes.readUInt8(at) >= 128) at += 1;
      if (bytes.readUInt8(at + 1) !== key) continue;
      overwrite(databaseOf(folder), at + 1, Buffer.from([other]));
      return;
    }
  }
  assert.fail(`${table} has no row ${key}`);
}

/** Copies a page over another, as a write does that goes to a wrong place; both are where they begin. */
export function copyPage(folder: string, from: number, to: number): void {
  const copy = readFileSync(databaseOf(folder)).subarray(from, from + page);
  overwrite(databaseOf(folder), to, copy);
}

/** Makes a text of the id in the first row of calls. */
export function spoilTypeOfCall(folder: string): void {
  const root = (rootOf(folder, 'calls') - 1) * page;
  const types = readFileSync(databaseOf(folder)).indexOf(Buffer.from([0, 2 * 32 + 12]), root);
  flipBit(databaseOf(folder), types + 1);
}

/** Where one of the leaves of a table that has several begins. */
function leafOf(folder: string, table: string): number {
  const fourth = leavesOf(folder, table)[3];
  assert.ok(fourth);
  return fourth;
}

/** Where each leaf of a table begins, in the order of their keys; above them is its root alone. */
export function leavesOf(folder: string, table: string): number[] {
  const root = (rootOf(folder, table) - 1) * page;
  const bytes = readFileSync(databaseOf(folder));
  if (bytes.readUInt8(root) !== 5) return [root];
  const cells = Array.from({ length: bytes.readUInt16BE(root + 3) }, (_, cell) =>
    bytes.readUInt32BE(root + bytes.readUInt16BE(root + 12 + 2 * cell)),
  );
  return [...cells, bytes.readUInt32BE(root + 8)].map((number) => (number - 1) * page);
}

export function rootOf(folder: string, table: string): number {
  const database = new DatabaseSync(databaseOf(folder));
  const row = database.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(table);
  database.close();
  return Number(row?.['rootpage']);
}
