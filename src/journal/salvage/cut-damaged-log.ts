import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync } from 'node:fs';
import type { Damage } from './damage.ts';
import type { SetAside } from './set-aside.ts';
import { walkWal } from './wal-chain.ts';

/**
 * Sets aside what SQLite would drop of a write-ahead log though it had been committed, and cuts it
 * off: left there, it would look like new damage behind the frames to come.
 *
 * @param onDamage Called before anything is changed.
 */
export function cutDamagedLog(
  path: string,
  setAside: SetAside,
  onDamage: () => void,
): Damage['log'] | undefined {
  const log = openSync(path, 'r+');
  try {
    const { cutOff } = walkWal(log, fstatSync(log).size);
    if (cutOff === undefined) return undefined;
    const { start, end, frames } = cutOff;
    onDamage();
    setAside.copy('wal', log, start, end);
    ftruncateSync(log, start);
    fsyncSync(log);
    return { frames, bytes: end - start };
  } finally {
    closeSync(log);
  }
}
