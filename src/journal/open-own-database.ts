import { closeSync, existsSync, openSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { CallRecord } from '../call/call-record.ts';
import { type FileSystemOf, prepareFolder } from './data-folder.ts';
import { databaseFile, walFile } from './journal-files.ts';
import { asJournalError, openDatabase } from './open-database.ts';
import { ownFolder } from './own-folder.ts';
import { balanceLedger, isBalanced, isInReach } from './salvage/balance-ledger.ts';
import { cutDamagedLog } from './salvage/cut-damaged-log.ts';
import type { Damage } from './salvage/damage.ts';
import { hasSchema } from './salvage/has-schema.ts';
import { isDamageAtOpening } from './salvage/is-damage.ts';
import { markUnclear } from './salvage/mark-unclear.ts';
import { isHalfReplaced, rebuild, replace } from './salvage/rebuild.ts';
import { createSetAside } from './salvage/set-aside.ts';
import { wholeSchema } from './schema.ts';

export interface OwnDatabase {
  database: DatabaseSync;
  /** What was damaged and has been salvaged; absent where nothing was. */
  damage?: Damage;
  /** Writes down that a command met damage, so that the next opening salvages. */
  noteDamage(): void;
  /** Takes that back: what could not be read can be. */
  withdrawNote(): void;
  /** Closes the file and gives up the folder. */
  close(): void;
}

/** Stands in the folder from when damage is met until it is salvaged. */
const noteFile = 'damaged';

/**
 * Opens the journal in `folder`, or makes one, for this process alone. One that is damaged is
 * salvaged first: see `docs/architecture.md`, "Damage".
 *
 * @param experimentOf The experiment of a call of which nothing but its record is left.
 * @throws JournalError `JOURNAL_IN_USE`, `JOURNAL_TOO_NEW`, `JOURNAL_ON_NETWORK_DISK`,
 *   `JOURNAL_NOT_WRITABLE` or `JOURNAL_UNAVAILABLE`.
 */
export function openOwnDatabase(
  folder: string,
  experimentOf: (record: CallRecord) => string,
  now = Date.now(),
  fileSystemOf?: FileSystemOf,
): OwnDatabase {
  let lock: { close(): void } | undefined;
  try {
    prepareFolder(folder, fileSystemOf);
    lock = ownFolder(folder);
    const owned = lock;
    const { database, damage } = openSound(folder, experimentOf, now);
    return {
      database,
      ...(damage && { damage }),
      noteDamage: () => note(folder),
      withdrawNote: () => rmSync(join(folder, noteFile), { force: true }),
      close: () => {
        try {
          database.close();
        } finally {
          owned.close();
        }
      },
    };
  } catch (error) {
    lock?.close();
    throw asJournalError(error, folder);
  }
}

function openSound(
  folder: string,
  experimentOf: (record: CallRecord) => string,
  now: number,
): { database: DatabaseSync; damage?: Damage } {
  const path = join(folder, databaseFile);
  const setAside = createSetAside(folder, now);
  if (isHalfReplaced(folder)) replace(folder, setAside);
  const isNoted = existsSync(join(folder, noteFile));
  const hasLog = existsSync(join(folder, walFile));
  const log = hasLog
    ? cutDamagedLog(join(folder, walFile), setAside, () => note(folder))
    : undefined;
  const found: Found = isNoted
    ? { kind: 'damaged', reason: 'a command met damage' }
    : tryToOpen(path, hasLog, log !== undefined);
  if (found.kind === 'sound' && log === undefined) return { database: found.database };

  note(folder);
  const damage: Damage = { ...(log && { log }), setAside: [] };
  if (found.kind === 'damaged') {
    damage.database = rebuild({ folder, setAside, experimentOf, now }, found.reason);
  } else {
    if (found.kind === 'unbalanced') damage.account = { lost: balanceLedger(found.database) };
    markUnclear(found.database, now);
  }
  const database = found.kind === 'damaged' ? openDatabase(path) : found.database;
  damage.setAside.push(...setAside.paths());
  rmSync(join(folder, noteFile));
  return { database, damage };
}

type Found =
  | { kind: 'sound'; database: DatabaseSync }
  | { kind: 'unbalanced'; database: DatabaseSync }
  | { kind: 'damaged'; reason: string };

/** @param thorough Look at every page: behind a log that was cut off, older pages may lie. */
function tryToOpen(path: string, hasLog: boolean, thorough: boolean): Found {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? (hasLog ? 0 : undefined);
  if (size === 0) return { kind: 'damaged', reason: 'the file is empty' };
  let database: DatabaseSync | undefined;
  try {
    database = openDatabase(path);
    if (!hasSchema(database, wholeSchema)) {
      database.close();
      return { kind: 'damaged', reason: 'a table or a column is missing' };
    }
    lookOver(database);
    const balanced = isBalanced(database);
    const inReach = isInReach(database);
    if (balanced && inReach && !thorough) return { kind: 'sound', database };
    const verdict = database.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'];
    if (verdict === 'ok' && inReach) return { kind: balanced ? 'sound' : 'unbalanced', database };
    database.close();
    return { kind: 'damaged', reason: 'its tables contradict each other' };
  } catch (error) {
    if (database?.isOpen) database.close();
    if (!isDamageAtOpening(error)) throw error;
    return { kind: 'damaged', reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Reads a row of each table: gross damage shows, at no cost that grows with the file. */
function lookOver(database: DatabaseSync): void {
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  const buckets = database.prepare('SELECT bucket FROM seen_buckets').all();
  const named = tables.map((row) => String(row['name']));
  const seen = buckets.map((row) => `seen_${Number(row['bucket'])}`);
  for (const table of new Set([...named, ...seen])) {
    database.prepare(`SELECT * FROM "${table}" LIMIT 1`).get();
  }
}

function note(folder: string): void {
  closeSync(openSync(join(folder, noteFile), 'w', 0o600));
}
