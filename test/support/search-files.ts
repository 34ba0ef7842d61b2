import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { textsIn } from './planted.ts';

/** Of files up to this size every form of a text is looked for; it takes a tenth of a second. */
const searchedInEveryForm = 4_000_000;

/**
 * The files below `folder` that hold any of `among`, each with what it holds. In large ones a text is
 * found only as it stands. The ballast is left out: nothing was ever written there.
 */
export function filesWith(among: readonly string[], folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name !== 'ballast')
    .flatMap(({ parentPath, name }) => {
      const bytes = bytesOf(join(parentPath, name));
      const found =
        bytes.length <= searchedInEveryForm
          ? textsIn(bytes, among)
          : among.filter((text) => bytes.includes(text));
      return found.map((text) => `${name}: ${text}`);
    });
}

/** Of a file that was removed meanwhile there is nothing. */
function bytesOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      return Buffer.alloc(0);
    throw error;
  }
}
