import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface WatchOptions {
  signal: AbortSignal;
  /** Milliseconds between two looks. */
  intervalMs: number;
}

/**
 * Calls `onChange` after one of `files` has changed, come or gone, and has then stayed the same for an
 * interval, so that a file is not read while it is being written. It looks by itself instead of
 * asking the system for events: those do not tell of mounted secrets, which are links that are
 * exchanged, nor of network drives.
 *
 * @param files Asked before each look, since a new file of settings may name others.
 * @returns Resolves when `signal` ends it.
 */
export async function watchFiles(
  files: () => readonly string[],
  onChange: () => void,
  { signal, intervalMs }: WatchOptions,
): Promise<void> {
  let known = files().map(stateOf).join();
  let before = known;
  while (!signal.aborted) {
    await sleep(intervalMs, undefined, { signal, ref: false }).catch(() => undefined);
    const now = files().map(stateOf).join();
    const settled = now === before;
    before = now;
    if (signal.aborted || !settled || now === known) continue;
    known = now;
    onChange();
  }
}

/** Changes whenever the file, or what its link points to, is written or exchanged, comes or goes. */
function stateOf(file: string): string {
  try {
    const { dev, ino, size, mtimeMs } = statSync(file);
    return `${dev}:${ino}:${size}:${mtimeMs}`;
  } catch (error) {
    // It is not there, or a network drive is away for a while.
    return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  }
}
