import { mkdirSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { databaseFile } from './open-database.ts';

const most = 10e9;
const shareOfFree = 0.7;

/** The bound of a journal that was given none: the smaller of 10 GB and 70 % of the free disk. */
export function defaultMaxBytes(folder: string): number {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { bavail, bsize } = statfsSync(folder);
  const own = statSync(join(folder, databaseFile), { throwIfNoEntry: false })?.size ?? 0;
  return Math.floor(Math.min(most, shareOfFree * (bavail * bsize + own)));
}
