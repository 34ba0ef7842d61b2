import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { createBallast } from './ballast.ts';
import { databaseFile, walFile as walName } from './journal-files.ts';
import { isSqliteError, numberOf } from './open-database.ts';

/** The journal's bound on disk, in bytes: database, write-ahead log and ballast together. */
export interface Space {
  /** Bytes that hold something. */
  used(): number;
  /** Whether a body of `bytes` may still be taken in: it is written twice, to the log and behind it. */
  admits(bytes: number): boolean;
  /** Whether an empty journal would admit `bytes`, and the disk has room at all. */
  couldAdmit(bytes: number): boolean;
  /** A body of `bytes` was taken in, and will be in the log when the transaction is committed. */
  admitted(bytes: number): void;
  /** The transaction is over. Folds the log back into the database when it has grown long. */
  committed(): void;
  /**
   * Gives some of the free pages back to the file system, and takes the ballast up again. True:
   * there is much more to give back.
   */
  tidy(): boolean;
  /** The disk was full: gives the ballast up, so that what is there can at least end. */
  diskWasFull(): void;
  /** A commit failed: what it wrote to the log counts for nothing, and may stay there. */
  commitFailed(): void;
  /** After a failed commit: folds the log back and begins it anew, so that nothing stale is in it. */
  beginLogAnew(): void;
  maxBytes: number;
}

const longestWal = 64 * 1024 * 1024;
const reserveShare = 0.06;
const reserveBytes = 64 * 1024 * 1024;
const mostBallast = 8 * 1024 * 1024;
/** Free pages that one step gives back: a few milliseconds of work. */
const pagesAStep = 256;
/** Free bytes that the calls to come will soon need again; they are given back slowly. */
const slack = 16 * 1024 * 1024;

/**
 * Keeps the journal within `maxBytes`. Calls are admitted up to a reserve, the larger of 6 % and
 * 64 MB but at most a quarter, which only progress, settling and dead letters may use;
 * `max_page_count` is the net behind that. While the ballast is given up, none are.
 */
export function createSpace(database: DatabaseSync, folder: string, maxBytes: number): Space {
  const ballastBytes = Math.min(mostBallast, Math.floor(maxBytes / 8));
  const ballast = createBallast(folder, ballastBytes);
  ballast.restore();
  const pageSize = numberOf(database, 'PRAGMA page_size');
  const reserve = Math.min(Math.max(maxBytes * reserveShare, reserveBytes), maxBytes / 4);
  const walLimit = Math.min(longestWal, maxBytes / 8);
  const walFile = join(folder, walName);
  const file = join(folder, databaseFile);
  database.exec(
    `PRAGMA max_page_count = ${Math.floor((maxBytes - walLimit - ballastBytes) / pageSize)}`,
  );

  const sizeOf = (file: string) => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  const walBytes = () => sizeOf(walFile);
  const bytesInAll = () => numberOf(database, 'PRAGMA page_count') * pageSize;
  const bytesFree = () => numberOf(database, 'PRAGMA freelist_count') * pageSize;
  const used = () => bytesInAll() - bytesFree() + walBytes() + ballast.bytes();
  let logged = 0;
  let isLogStale = false;
  /** On a full disk housekeeping may fail, and need not succeed. */
  const tryOut = (sql: string) => {
    try {
      database.exec(sql);
    } catch (error) {
      if (!isSqliteError(error)) throw error;
    }
  };
  return {
    maxBytes,
    used,
    admits: (bytes) => used() + logged + 2 * bytes <= maxBytes - reserve,
    couldAdmit: (bytes) => {
      const fits = ballastBytes + 2 * bytes <= maxBytes - reserve;
      return fits && ballast.bytes() === ballastBytes;
    },
    admitted: (bytes) => {
      logged += bytes;
    },
    committed: () => {
      logged = 0;
      if (walBytes() > walLimit) tryOut('PRAGMA wal_checkpoint(TRUNCATE)');
    },
    tidy: () => {
      const before = bytesFree();
      tryOut(`PRAGMA incremental_vacuum(${pagesAStep})`);
      const after = bytesFree();
      if (after > slack && after < before) return true;
      // The file itself becomes shorter when the log is folded back.
      if (sizeOf(file) - bytesInAll() > slack) tryOut('PRAGMA wal_checkpoint(PASSIVE)');
      ballast.restore();
      return false;
    },
    diskWasFull: ballast.drop,
    commitFailed: () => {
      isLogStale = true;
    },
    beginLogAnew: () => {
      if (!isLogStale) return;
      tryOut('PRAGMA wal_checkpoint(TRUNCATE)');
      isLogStale = walBytes() > 0;
    },
  };
}
