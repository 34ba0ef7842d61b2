import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Does `work` while no other process does so under the same file. The lock is SQLite's, thus the
 * system's: it ends with the process that holds it, so it is never stale and needs no owner's pid.
 * Throws when the lock has not been had within `withinMs`.
 */
export async function withFileLock<T>(
  file: string,
  withinMs: number,
  work: () => Promise<T>,
  onWait: () => void = () => {},
): Promise<T> {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    const end = performance.now() + withinMs;
    let hasWaited = false;
    while (!tryLock(database)) {
      if (performance.now() > end) throw new Error(`Waited ${withinMs / 1000} s for ${file}.`);
      if (!hasWaited) onWait();
      hasWaited = true;
      await pause(200);
    }
    return await work();
  } finally {
    database.close();
  }
}

function tryLock(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    const isBusy = error instanceof Error && 'errcode' in error && error.errcode === 5;
    if (isBusy) return false;
    throw error;
  }
}
