import { accessSync, constants, existsSync, mkdirSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { JournalError } from './journal.ts';
import { databaseFile, walFile } from './journal-files.ts';

/** Tells what kind of file system a path lies on, as `statfs(2)` does. */
export type FileSystemOf = (path: string) => { type: number };

/** File systems over a network, by `f_type`: https://man7.org/linux/man-pages/man2/statfs.2.html. */
const networkDisks: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS (Amazon EFS is NFS, too)'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
]);

/**
 * Makes the data folder where it is not there, and makes sure that a journal can lie in it.
 *
 * @throws JournalError `JOURNAL_ON_NETWORK_DISK` or `JOURNAL_NOT_WRITABLE`.
 */
export function prepareFolder(folder: string, fileSystemOf: FileSystemOf = statfsSync): void {
  try {
    // Prompts lie in these files: whatever the folder's mode, they are the owner's alone.
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw notWritable(folder, error);
  }
  // Some systems give the type as a signed number.
  const disk = networkDisks.get(fileSystemOf(folder).type >>> 0);
  if (disk !== undefined) {
    throw new JournalError(
      'JOURNAL_ON_NETWORK_DISK',
      `the data folder ${folder} lies on ${disk}, where locks and fsync do not hold what SQLite needs of them: name a folder on a local disk or a block device (EBS) by SIDECAR_DATA_DIR or journal.dir`,
    );
  }
  demand(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  for (const file of [databaseFile, walFile]) {
    const path = join(folder, file);
    if (existsSync(path)) demand(path, constants.R_OK | constants.W_OK);
  }
}

function demand(path: string, mode: number): void {
  try {
    accessSync(path, mode);
  } catch (error) {
    throw notWritable(path, error);
  }
}

function notWritable(path: string, error: unknown): JournalError {
  const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  const owner = ownerOf(path);
  const self = process.getuid?.();
  const whose =
    owner !== undefined && owner !== self
      ? `; it belongs to user ${owner}, and this process runs as user ${self}`
      : '';
  return new JournalError(
    'JOURNAL_NOT_WRITABLE',
    `the journal cannot write to ${path} (${reason})${whose}: give it to the user the sidecar runs as, or name another data folder by SIDECAR_DATA_DIR or journal.dir`,
  );
}

function ownerOf(path: string): number | undefined {
  try {
    return statSync(path).uid;
  } catch {
    return undefined;
  }
}
