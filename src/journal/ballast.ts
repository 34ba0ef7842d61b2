import { closeSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A file that takes up room on the disk, to be given up when the disk is full: SQLite needs room in
 * its log even to delete, and would stand still for ever without.
 */
export interface Ballast {
  /** Bytes that it takes. */
  bytes(): number;
  /** Gives the room up. */
  drop(): void;
  /** Takes the room again, where the disk has plenty. */
  restore(): void;
}

const ballastFile = 'ballast';
/** The disk has plenty when this many times the ballast is free. */
const plenty = 4;

/** @param size Bytes. */
export function createBallast(folder: string, size: number): Ballast {
  const path = join(folder, ballastFile);
  const bytes = () => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return {
    bytes,
    drop: () => rmSync(path, { force: true }),
    restore: () => {
      if (bytes() === size) return;
      const { bavail, bsize } = statfsSync(folder);
      if (bavail * bsize < plenty * size) return;
      try {
        fill(path, size);
      } catch {
        // Half a ballast would only look like one.
        rmSync(path, { force: true });
      }
    },
  };
}

/** Writes zeros a piece at a time: they would count as the daemon's memory until they are collected. */
function fill(path: string, size: number): void {
  const piece = Buffer.alloc(64 * 1024);
  const file = openSync(path, 'w', 0o600);
  try {
    for (let written = 0; written < size; ) {
      written += writeSync(file, piece, 0, Math.min(piece.length, size - written));
    }
  } finally {
    closeSync(file);
  }
}
