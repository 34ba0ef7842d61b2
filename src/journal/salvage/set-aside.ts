import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/** Where damaged bytes go, out of the journal's way: nothing of them is deleted. */
export interface SetAside {
  /** Copies the bytes of an open file from `start` to `end`. */
  copy(what: string, file: number, start: number, end: number): void;
  /** Moves a whole file. */
  move(what: string, path: string): void;
  /** Paths of what was set aside. */
  paths(): string[];
}

const step = 1024 * 1024;

/** @param now Unix milliseconds; they are in the files' names. */
export function createSetAside(folder: string, now: number): SetAside {
  const place = join(folder, 'set-aside');
  const time = new Date(now).toISOString().replace(/[-:]/g, '');
  const paths: string[] = [];
  const pathFor = (what: string) => {
    mkdirSync(place, { recursive: true, mode: 0o700 });
    const path = join(place, `${time}-${what}`);
    paths.push(path);
    return path;
  };
  return {
    copy: (what, file, start, end) => {
      const copy = openSync(pathFor(what), 'w', 0o600);
      const buffer = Buffer.alloc(Math.min(step, end - start));
      for (let at = start; at < end; ) {
        const read = readSync(file, buffer, 0, Math.min(buffer.length, end - at), at);
        if (read === 0) break;
        writeSync(copy, buffer, 0, read);
        at += read;
      }
      fsyncSync(copy);
      closeSync(copy);
    },
    move: (what, path) => {
      chmodSync(path, 0o600);
      renameSync(path, pathFor(what));
    },
    paths: () => paths,
  };
}
