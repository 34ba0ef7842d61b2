import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { JournalError } from './journal.ts';
import { patienceMs } from './own-folder.ts';
import { extendedCode, isDamage, primaryCode } from './salvage/is-damage.ts';
import { migrations, schemaVersion } from './schema.ts';

/** `PRAGMA application_id` of a journal: "LMLJ". */
const applicationId = 0x4c4d4c4a;

/**
 * Opens or makes a journal's file.
 *
 * `locking_mode=EXCLUSIVE` is set before WAL, so that there is no shared memory file, a second
 * opener is refused, and a kill frees the lock at once. `synchronous=FULL` makes each commit an
 * fsync of the WAL.
 *
 * @throws JournalError `JOURNAL_TOO_NEW`, or what SQLite throws.
 */
export function openDatabase(file: string): DatabaseSync {
  closeSync(openSync(file, 'a', 0o600));
  const database = new DatabaseSync(file, { timeout: patienceMs });
  try {
    database.exec(`
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA auto_vacuum = INCREMENTAL;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA wal_autocheckpoint = 4000;
      PRAGMA journal_size_limit = 16777216;
      PRAGMA cache_size = -2000;
      PRAGMA temp_store = MEMORY;
    `);
    bringUpToDate(database, file);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function bringUpToDate(database: DatabaseSync, file: string): void {
  const version = numberOf(database, 'PRAGMA user_version');
  if (version > schemaVersion) {
    throw new JournalError(
      'JOURNAL_TOO_NEW',
      `the journal ${file} has format ${version}, written by a later version; this one reads up to format ${schemaVersion}`,
    );
  }
  database.exec('BEGIN IMMEDIATE');
  for (const migration of migrations.slice(version)) database.exec(migration);
  if (version === 0) {
    database.exec(`PRAGMA application_id = ${applicationId}`);
    database
      .prepare("INSERT INTO meta (name, value) VALUES ('journal_id', ?)")
      .run(crypto.randomUUID());
  }
  database.exec(`PRAGMA user_version = ${schemaVersion}; COMMIT`);
}

/** The one number that `sql` answers. */
export function numberOf(database: DatabaseSync, sql: string): number {
  const row = database.prepare(sql).get();
  return Number(row === undefined ? 0 : Object.values(row)[0]);
}

/** SQLite's primary result codes, https://www.sqlite.org/rescode.html. */
const busy = 5;
const full = 13;

/** Whether SQLite threw it, and not a mistake of ours. */
export function isSqliteError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR';
}

/** Whatever SQLite or the file system said, as one of the journal's own errors. */
export function asJournalError(error: unknown, folder: string): JournalError {
  if (error instanceof JournalError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = primaryCode(error);
  if (code === busy) {
    return new JournalError('JOURNAL_IN_USE', `another process owns the journal in ${folder}`);
  }
  if (code === full) return new JournalError('JOURNAL_FULL', `the journal in ${folder} is full`);
  if (isDamage(error)) {
    return new JournalError(
      'JOURNAL_DAMAGED',
      `the journal in ${folder} is damaged (${message}); what can be read is salvaged at the next start`,
    );
  }
  const which = extendedCode(error);
  return new JournalError(
    'JOURNAL_UNAVAILABLE',
    `the journal in ${folder} failed: ${message}${which === undefined ? '' : ` (SQLite ${which})`}`,
  );
}
