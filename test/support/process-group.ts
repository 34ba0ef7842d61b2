import { spawn } from 'node:child_process';

/**
 * Ends the process group `pid` when this process ends, however it ends (SIGKILL too): a shell waits
 * for the end of a pipe that only this process holds open. Returns what calls it off.
 */
export function guardGroup(pid: number): () => void {
  const guard = spawn('/bin/sh', ['-c', 'read -r _; kill -KILL "-$1"', 'guard', String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.on('error', () => {});
  guard.stdin.on('error', () => {});
  guard.unref();
  // The pipe is a socket here, which would keep this process alive.
  if ('unref' in guard.stdin && typeof guard.stdin.unref === 'function') guard.stdin.unref();
  return () => {
    guard.kill('SIGKILL');
  };
}

/** Sends a signal to every process of a group; a group that has gone is no error. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
