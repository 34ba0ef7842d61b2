import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** How long another owner may take to let go: a command that looked into the journal, say. */
export const patienceMs = 2_000;

/**
 * Makes this process the folder's owner, until `close` or its end, however that comes.
 *
 * The lock is SQLite's, on an empty file of its own: the journal's file can be examined, moved and
 * made anew while it holds, and opening a file beside it cannot lose it (POSIX drops a process's
 * locks on a file when any descriptor of it is closed: https://www.sqlite.org/howtocorrupt.html).
 *
 * @throws SQLite's error of code 5 (busy) when another process owns the folder.
 */
export function ownFolder(folder: string): { close(): void } {
  const lock = new DatabaseSync(join(folder, 'owner.lock'), { timeout: patienceMs });
  try {
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    throw error;
  }
}
