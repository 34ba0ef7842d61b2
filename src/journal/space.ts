import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { createBallast } from './ballast.ts';
import { walFile as walName } from './journal-files.ts';
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
  /** Gives some of the free pages back to the file system, and takes the ballast up again. */
  tidy(): void;
  /** The disk was full: gives the ballast up, so that what is there can at least end. */
  diskWasFull(): void;
  maxBytes: number;
}

const longestWal = 64 * 1024 * 1024;
const reserveShare = 0.06;
const reserveBytes = 64 * 1024 * 1024;
const mostBallast = 8 * 1024 * 1024;
/** Free pages that one step gives back: a few milliseconds of work. */
const pagesAStep = 256;

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
  database.exec(
    `PRAGMA max_page_count = ${Math.floor((maxBytes - walLimit - ballastBytes) / pageSize)}`,
  );

  const walBytes = () => statSync(walFile, { throwIfNoEntry: false })?.size ?? 0;
  const used = () => {
    const pages = numberOf(database, 'PRAGMA page_count');
    const inUse = pages - numberOf(database, 'PRAGMA freelist_count');
    return inUse * pageSize + walBytes() + ballast.bytes();
  };
  let logged = 0;
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
      tryOut(`PRAGMA incremental_vacuum(${pagesAStep})`);
      ballast.restore();
    },
    diskWasFull: ballast.drop,
  };
}
