import {
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { UnreadableConfigError } from './read-yaml.ts';

/**
 * The text of a file.
 *
 * @throws UnreadableConfigError where it cannot be read, or is no UTF-8, so that it could not be
 * written back as it was.
 */
export function readConfigFile(file: string): string {
  const bytes = attempt(() => readFileSync(file), 'cannot be read');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new UnreadableConfigError('it is no UTF-8');
  }
}

/**
 * Takes the place of a file's text, whole or not at all, and keeps the old one beside it.
 *
 * @param before What it is taken to hold: if somebody has changed it meanwhile, it is left alone.
 * @param now Unix milliseconds, for the name of the copy.
 * @returns The name of the copy.
 * @throws UnreadableConfigError where it cannot be written.
 */
export function replaceConfigFile(
  file: string,
  before: string,
  after: string,
  now: number,
): string {
  if (readConfigFile(file) !== before) {
    throw new UnreadableConfigError('somebody has changed it meanwhile; it was left alone');
  }
  const stamp = new Date(now).toISOString().replace(/[-:]|\.\d+/g, '');
  // What a link points to is replaced, not the link.
  const target = realpathSync(file);
  const backup = `${target}.${stamp}.bak`;
  const fresh = `${target}.${process.pid}.new`;
  attempt(() => copyFileSync(target, backup, constants.COPYFILE_EXCL), 'cannot be copied');
  attempt(() => {
    try {
      writeFileSync(fresh, after, { flag: 'wx' });
      const { uid, gid, mode } = statSync(target);
      giveTo(fresh, uid, gid);
      chmodSync(fresh, mode & 0o7777);
      renameSync(fresh, target);
    } catch (error) {
      rmSync(fresh, { force: true });
      throw error;
    }
  }, 'cannot be written');
  return backup;
}

/** Lets a file belong to somebody, as root may (sudo); for others it stays their own. */
function giveTo(file: string, uid: number, gid: number): void {
  try {
    chownSync(file, uid, gid);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) throw error;
  }
}

function attempt<T>(act: () => T, what: string): T {
  try {
    return act();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new UnreadableConfigError(`it ${what} (${code})`);
  }
}
