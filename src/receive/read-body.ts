import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import type { InflightBody } from './inflight.ts';

/** A body, or why there is none. `bytes` of one that is too large: those that were seen. */
export type ReadBody =
  | { kind: 'body'; bytes: Uint8Array<ArrayBuffer> }
  | { kind: 'too_large'; bytes: number }
  | { kind: 'no_room' }
  | { kind: 'too_slow' }
  | { kind: 'aborted' };

/**
 * Reads a request's body into memory of its own, decoded.
 *
 * Whether it is gzip is told by its first bytes: a `Content-Encoding` that LiteLLM's settings put
 * there comes with a body that is not encoded. Bytes that only look like gzip stay as they are.
 *
 * @param maxBytes The most, as sent and decoded alike.
 * @param patienceMs How long it may take to come.
 */
export async function readBody(
  stream: Readable | undefined,
  { maxBytes, patienceMs }: { maxBytes: number; patienceMs: number },
  room: InflightBody,
): Promise<ReadBody> {
  const chunks: Buffer[] = [];
  let length = 0;
  const patience = new AbortController();
  const late = setTimeout(patienceMs, 'late' as const, { signal: patience.signal, ref: false });
  late.catch(() => undefined);
  // What is refused is answered; destroying the stream would take the socket with it.
  const parts = stream?.iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      const next = await Promise.race([parts?.next(), late]);
      if (next === 'late') return { kind: 'too_slow' };
      if (next === undefined || next.done) break;
      const chunk: unknown = next.value;
      if (!Buffer.isBuffer(chunk)) continue;
      length += chunk.length;
      if (length > maxBytes) return { kind: 'too_large', bytes: length };
      if (!room.grow(length)) return { kind: 'no_room' };
      chunks.push(chunk);
    }
  } catch {
    return { kind: 'aborted' };
  } finally {
    patience.abort();
    // The rest of what is not wanted is let go by, for the next request of the connection is behind it.
    parts?.return?.().then(
      () => stream?.resume(),
      () => undefined,
    );
  }
  const bytes = joined(chunks, length);
  const zipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return zipped ? decoded(bytes, maxBytes, room) : { kind: 'body', bytes };
}

/** Unpacked piece by piece: a few kilobytes of gzip can hold a gigabyte. */
async function decoded(
  packed: Uint8Array<ArrayBuffer>,
  maxBytes: number,
  room: InflightBody,
): Promise<ReadBody> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of Readable.from([packed]).pipe(createGunzip())) {
      if (!Buffer.isBuffer(chunk)) continue;
      length += chunk.length;
      if (length > maxBytes) return { kind: 'too_large', bytes: length };
      if (!room.grow(packed.length + length)) return { kind: 'no_room' };
      chunks.push(chunk);
    }
  } catch {
    return { kind: 'body', bytes: packed };
  }
  return { kind: 'body', bytes: joined(chunks, length) };
}

/** One array that owns its memory, so that it can be handed to another thread. */
function joined(chunks: readonly Buffer[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let position = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, position);
    position += chunk.length;
  }
  return bytes;
}
