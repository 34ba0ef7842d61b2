import { statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { prepareFolder } from './data-folder.ts';
import { databaseFile } from './journal-files.ts';

const most = 10e9;
const shareOfFree = 0.7;

/**
 * The bound of a journal that was given none: the smaller of 10 GB and 70 % of the free disk.
 *
 * @throws JournalError when the folder cannot hold a journal.
 */
export function defaultMaxBytes(folder: string): number {
  prepareFolder(folder);
  const { bavail, bsize } = statfsSync(folder);
  const own = statSync(join(folder, databaseFile), { throwIfNoEntry: false })?.size ?? 0;
  return Math.floor(Math.min(most, shareOfFree * (bavail * bsize + own)));
}
