import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type FileSystemOf, prepareFolder } from '../../journal/data-folder.ts';
import { JournalError } from '../../journal/journal.ts';
import { databaseFile } from '../../journal/journal-files.ts';
import type { Settings } from '../../settings/schema.ts';
import { type Check, failure, ok, warning } from './check.ts';

/** So little room is soon none, in bytes. */
const least = 1e9;
/** What a write that lasts may take, in milliseconds: every post waits for one. */
const slow = 50;
const tries = 20;

/**
 * The disk of the journal: its kind, its room, and how long a write takes that lasts. Where its folder is
 * not there yet, the one it would be made in is looked at; nothing is made.
 */
export function checkDisk(
  { journal }: Settings,
  ticks: () => number,
  fileSystemOf: FileSystemOf = statfsSync,
): Check[] {
  const folder = resolve(journal.dir);
  let place = folder;
  while (!existsSync(place)) place = dirname(place);
  try {
    prepareFolder(place, fileSystemOf);
  } catch (error) {
    if (!(error instanceof JournalError)) throw error;
    return [failure('disk', error.message, 'The journal cannot be there.')];
  }
  const where = place === folder ? folder : `${folder} (to be made in ${place})`;
  return [
    ok('disk', `${where} is local and can be written to`),
    checkRoom(place, folder, journal.maxBytes),
    checkSpeed(place, ticks),
  ];
}

function checkRoom(place: string, folder: string, maxBytes: number | undefined): Check {
  const { bavail, bsize } = statfsSync(place);
  const own = statSync(join(folder, databaseFile), { throwIfNoEntry: false })?.size ?? 0;
  const room = bavail * bsize + own;
  const detail = `${shown(room)} free or the journal's own${maxBytes === undefined ? '' : `, of which it may use ${shown(maxBytes)}`}`;
  const advice =
    'Make room, give the journal a disk of its own, or set a smaller journal.maxBytes.';
  if (room < least) return failure('disk space', detail, advice);
  return maxBytes !== undefined && room < maxBytes
    ? warning('disk space', detail, advice)
    : ok('disk space', detail);
}

function checkSpeed(place: string, ticks: () => number): Check {
  const file = join(place, `doctor-${process.pid}.tmp`);
  const block = Buffer.alloc(4096);
  const took: number[] = [];
  try {
    const handle = openSync(file, 'wx', 0o600);
    try {
      for (let count = 0; count < tries; count += 1) {
        const before = ticks();
        writeSync(handle, block);
        fsyncSync(handle);
        took.push(ticks() - before);
      }
    } finally {
      closeSync(handle);
      rmSync(file, { force: true });
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return failure(
      'disk speed',
      `${place} takes no file (${code})`,
      'Look at its room and its rights.',
    );
  }
  const median = took.toSorted((one, other) => one - other)[tries / 2] ?? 0;
  const detail = `4 KB that last (fsync) take ${median.toPrecision(2)} ms, the slowest ${Math.max(...took).toPrecision(2)} ms`;
  return median > slow
    ? warning(
        'disk speed',
        detail,
        'Every post waits for such a write: use a faster disk (gp3, NVMe).',
      )
    : ok('disk speed', detail);
}

function shown(bytes: number): string {
  return `${(bytes / 1e9).toPrecision(3)} GB`;
}
