import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { databaseFile, walFile } from './journal-files.ts';

/** Bytes of a file that the disk does not give. */
export interface Unreadable {
  file: string;
  /** The offset of the piece that holds them. */
  at: number;
}

const piece = 1024 * 1024;

/**
 * Finds what of the journal's files the disk does not read. SQLite reports EIO on a read as damage
 * (SQLITE_IOERR_CORRUPTFS becomes SQLITE_CORRUPT); but what the disk does not give now may be sound,
 * and be there again later.
 *
 * All is read, up to the first piece that fails; that one is tried first the next time.
 */
export function createFindUnreadable(folder: string): () => Unreadable | undefined {
  let last: Unreadable | undefined;
  return () => {
    if (last !== undefined && !reads(join(folder, last.file), last.at)) return last;
    last = undefined;
    for (const file of [databaseFile, walFile]) {
      const at = firstUnreadable(join(folder, file));
      if (at !== undefined) {
        last = { file, at };
        return last;
      }
    }
    return undefined;
  };
}

function firstUnreadable(path: string): number | undefined {
  const file = openSync(path, 'a+');
  const buffer = Buffer.allocUnsafe(piece);
  let at = 0;
  try {
    while (readSync(file, buffer, 0, piece, at) > 0) at += piece;
    return undefined;
  } catch (error) {
    if (isReadError(error)) return at;
    throw error;
  } finally {
    closeSync(file);
  }
}

function reads(path: string, at: number): boolean {
  const file = openSync(path, 'a+');
  try {
    readSync(file, Buffer.allocUnsafe(piece), 0, piece, at);
    return true;
  } catch (error) {
    if (isReadError(error)) return false;
    throw error;
  } finally {
    closeSync(file);
  }
}

function isReadError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EIO';
}
