import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGunzip, gzip } from 'node:zlib';
import type { ArchiveMember } from '../../record/calls/archive-index.ts';

/** Before a call's `call.json` in its line; within a text of the columns its quotes would be escaped. */
const beforeCall = Buffer.from(',"call":');
const noCall = Buffer.from(',"call":null}\n');
const lineEnd = 0x0a;

const compress = promisify(gzip);

/**
 * The lines of a member of the archive at `path`, with `null` for the `call.json` of each, as a gzip
 * member; the same bytes each time. `undefined` where the file cannot be read.
 */
export async function memberRows(
  path: string,
  { offset, length }: Pick<ArchiveMember, 'offset' | 'length'>,
): Promise<Uint8Array | undefined> {
  const part = createReadStream(path, { start: offset, end: offset + length - 1 });
  try {
    return await compress(await pipeline(part, createGunzip(), rowsIn));
  } catch {
    return undefined;
  }
}

async function rowsIn(lines: AsyncIterable<Buffer>): Promise<Buffer> {
  const rows: Buffer[] = [];
  let rest: Buffer = Buffer.alloc(0);
  let isInCall = false;
  for await (const bytes of lines) {
    rest = Buffer.concat([rest, bytes]);
    for (;;) {
      const at = isInCall ? rest.indexOf(lineEnd) : rest.indexOf(beforeCall);
      if (at === -1) break;
      if (!isInCall) rows.push(Buffer.from(rest.subarray(0, at)), noCall);
      rest = rest.subarray(isInCall ? at + 1 : at + beforeCall.length);
      isInCall = !isInCall;
    }
    // Of a large call nothing is kept.
    if (isInCall) rest = Buffer.alloc(0);
  }
  return Buffer.concat(rows);
}
