import { createReadStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StreamBody } from '../../src/aws/stream-body.ts';
import { tempFolder } from './temp-folder.ts';

/** A body that lies in a file, and how often it was opened. */
export function fileBody(t: { after(end: () => void): unknown }, content: Uint8Array) {
  const path = join(tempFolder(t), 'body');
  writeFileSync(path, content);
  let opened = 0;
  const body: StreamBody = {
    bytes: content.length,
    open: () => {
      opened += 1;
      return createReadStream(path);
    },
  };
  return { path, body, opened: () => opened };
}
