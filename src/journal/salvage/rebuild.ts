import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { CallRecord } from '../../call/call-record.ts';
import { databaseFile, walFile } from '../journal-files.ts';
import { openDatabase } from '../open-database.ts';
import { indispensable } from '../schema.ts';
import { accountForLost } from './account-for-lost.ts';
import { balanceLedger } from './balance-ledger.ts';
import { copyCalls } from './copy-calls.ts';
import { copyMemory, largestKey } from './copy-memory.ts';
import type { Damage } from './damage.ts';
import { createFirstPage } from './first-page.ts';
import { hasSchema } from './has-schema.ts';
import { isUnreadable } from './is-damage.ts';
import { markUnclear } from './mark-unclear.ts';
import type { SetAside } from './set-aside.ts';

/** The journal that is made anew, until it is whole and takes the damaged one's place. */
const newFile = 'salvage.db';

export interface RebuildParts {
  folder: string;
  setAside: SetAside;
  experimentOf: (record: CallRecord) => string;
  now: number;
}

/** Makes a new journal of what can be read of the damaged one, which is set aside. */
export function rebuild(parts: RebuildParts, reason: string): NonNullable<Damage['database']> {
  const { folder, setAside, experimentOf, now } = parts;
  const path = join(folder, databaseFile);
  const newPath = join(folder, newFile);
  closeSync(openSync(path, 'a', 0o600));
  const bytes = sizeOf(path);
  removeNew(newPath);
  openDatabase(newPath).close();
  const from = openDamaged(path, newPath, join(folder, walFile), setAside);
  const to = openDatabase(newPath);
  let copied = { calls: 0, bodiesLost: 0 };
  let lost = 0;
  if (from !== undefined) {
    const last = largestKey(from, 'calls', 'seq', 'payloads');
    copied = copyCalls({ from, to, last, experimentOf, now });
    copyMemory(from, to, now);
    lost = accountForLost(from, to, last, now);
    closeDamaged(from);
  } else balanceLedger(to);
  markUnclear(to, now);
  to.close();
  sync(newPath);
  replace(folder, setAside);
  return { reason, bytes, lost, ...copied };
}

/**
 * Puts the new journal in the damaged one's place. A kill in between leaves no `journal.db`; then the
 * new one was whole, and the next start goes on here.
 */
export function replace(folder: string, setAside: SetAside): void {
  for (const file of [databaseFile, walFile]) {
    const path = join(folder, file);
    if (existsSync(path)) setAside.move(file, path);
  }
  renameSync(join(folder, newFile), join(folder, databaseFile));
  sync(folder);
}

/** Whether a kill ended a salvage between its last steps. */
export function isHalfReplaced(folder: string): boolean {
  return existsSync(join(folder, newFile)) && !existsSync(join(folder, databaseFile));
}

/** Opens a damaged file as far as it goes, with its first page made good where that helps. */
function openDamaged(path: string, like: string, wal: string, setAside: SetAside) {
  if (sizeOf(path) === 0 && sizeOf(wal) === 0) return undefined;
  const page = createFirstPage(path, like, setAside);
  // SQLite deletes the log beside an empty file.
  const atFirst = sizeOf(path) === 0 ? page.restoreWhole : page.restoreSize;
  for (const repair of [atFirst, page.restoreHeader, page.restoreWhole]) {
    repair();
    const database = new DatabaseSync(path);
    try {
      database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -8000');
      if (hasSchema(database, indispensable)) return database;
      closeDamaged(database);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      closeDamaged(database);
    }
  }
  return undefined;
}

/** Closing folds the log back, which damage may prevent; the files are set aside in any case. */
function closeDamaged(database: DatabaseSync): void {
  try {
    database.close();
  } catch (error) {
    if (!isUnreadable(error)) throw error;
  }
}

function removeNew(path: string): void {
  for (const end of ['', '-wal', '-journal']) rmSync(path + end, { force: true });
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function sync(path: string): void {
  const file = openSync(path, 'r');
  fsyncSync(file);
  closeSync(file);
}
