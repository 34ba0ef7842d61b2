import { rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
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

const file = 'ballast';
/** The disk has plenty when this many times the ballast is free. */
const plenty = 4;

/** @param size Bytes. */
export function createBallast(folder: string, size: number): Ballast {
  const path = join(folder, file);
  const bytes = () => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return {
    bytes,
    drop: () => rmSync(path, { force: true }),
    restore: () => {
      if (bytes() === size) return;
      const { bavail, bsize } = statfsSync(folder);
      if (bavail * bsize < plenty * size) return;
      try {
        writeFileSync(path, Buffer.alloc(size), { mode: 0o600 });
      } catch {
        // Half a ballast would only look like one.
        rmSync(path, { force: true });
      }
    },
  };
}
