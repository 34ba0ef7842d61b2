import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import type { SetAside } from './set-aside.ts';

const pageSize = 4096;
const headerLength = 100;
/** Of the file in pages, and of its free pages; https://www.sqlite.org/fileformat2.html#the_database_header. */
const sizeAt = 28;
const freePagesAt = 32;

/**
 * A first page that is damaged, made good from that of another journal: within a version of the
 * format they are the same, except for the file's size, its free pages, and the tables of ids.
 */
export interface FirstPage {
  /** Only the file's size, where the page is older than the rest: SQLite reads no page beyond it. */
  restoreSize(): void;
  /** Only the header: the tables stay as the damaged page has them. */
  restoreHeader(): void;
  restoreWhole(): void;
}

/** @param like A journal's file that is sound and closed. */
export function createFirstPage(path: string, like: string, setAside: SetAside): FirstPage {
  const sound = readFirst(like).bytes;
  const { bytes: damaged, size } = readFirst(path);
  let isSetAside = false;

  const write = (page: Buffer) => {
    page.writeUInt32BE(Math.max(1, Math.floor(size / pageSize)), sizeAt);
    page.fill(0, freePagesAt, freePagesAt + 8);
    const file = openSync(path, 'r+');
    if (!isSetAside) setAside.copy('first-page', file, 0, Math.min(size, pageSize));
    isSetAside = true;
    writeSync(file, page, 0, pageSize, 0);
    closeSync(file);
  };
  return {
    restoreSize: () => {
      if (damaged.readUInt32BE(sizeAt) < Math.floor(size / pageSize)) write(Buffer.from(damaged));
    },
    restoreHeader: () =>
      write(Buffer.concat([sound.subarray(0, headerLength), damaged.subarray(headerLength)])),
    restoreWhole: () => write(Buffer.from(sound)),
  };
}

function readFirst(path: string): { bytes: Buffer; size: number } {
  const file = openSync(path, 'r');
  const bytes = Buffer.alloc(pageSize);
  readSync(file, bytes, 0, pageSize, 0);
  const { size } = fstatSync(file);
  closeSync(file);
  return { bytes, size };
}
