import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { databaseFile, numberOf } from './open-database.ts';

/** The journal's bound on disk, in bytes: database and write-ahead log together. */
export interface Space {
  /** Bytes that hold something. */
  used(): number;
  /** Whether a body of `bytes` may still be taken in. */
  admits(bytes: number): boolean;
  /** Folds the write-ahead log back into the database when it has grown long. */
  checkpointIfLong(): void;
  /** Gives some of the free pages back to the file system. */
  shrink(): void;
  maxBytes: number;
}

const longestWal = 64 * 1024 * 1024;
const reserveShare = 0.06;
const reserveBytes = 64 * 1024 * 1024;
/** Free pages that one step gives back: a few milliseconds of work. */
const pagesAStep = 256;

/**
 * Keeps the journal within `maxBytes`. Calls are admitted up to a reserve, the larger of 6 % and
 * 64 MB but at most a quarter, which only progress, settling and dead letters may use;
 * `max_page_count` is the net behind that.
 */
export function createSpace(database: DatabaseSync, folder: string, maxBytes: number): Space {
  const pageSize = numberOf(database, 'PRAGMA page_size');
  const reserve = Math.min(Math.max(maxBytes * reserveShare, reserveBytes), maxBytes / 4);
  const walLimit = Math.min(longestWal, maxBytes / 8);
  const walFile = join(folder, `${databaseFile}-wal`);
  database.exec(`PRAGMA max_page_count = ${Math.floor((maxBytes - walLimit) / pageSize)}`);

  const walBytes = () => statSync(walFile, { throwIfNoEntry: false })?.size ?? 0;
  const used = () => {
    const pages = numberOf(database, 'PRAGMA page_count');
    return (pages - numberOf(database, 'PRAGMA freelist_count')) * pageSize + walBytes();
  };
  return {
    maxBytes,
    used,
    admits: (bytes) => used() + bytes <= maxBytes - reserve,
    checkpointIfLong: () => {
      if (walBytes() > walLimit) database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    },
    shrink: () => database.exec(`PRAGMA incremental_vacuum(${pagesAStep})`),
  };
}
