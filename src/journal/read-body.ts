import type { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';

/**
 * Reads the bytes of a call's `call.json`, in `place` where there is one that holds them; `undefined`
 * where there are none any more, or their checksum is wrong.
 */
export function createBodyReader(database: DatabaseSync) {
  const find = database.prepare('SELECT body, body_crc FROM payloads WHERE seq = ?');

  return (seq: number, place?: Uint8Array): Uint8Array | undefined => {
    const row = find.get(seq);
    const body = row?.['body'];
    const isSound = body instanceof Uint8Array && crc32(body) === Number(row?.['body_crc']);
    if (!isSound) return undefined;
    if (place === undefined || place.length < body.length) return body;
    place.set(body);
    const copied = place.subarray(0, body.length);
    // Not left to the garbage collector, which counts what lies outside its heap late.
    if (body.buffer instanceof ArrayBuffer) body.buffer.transfer(0);
    return copied;
  };
}
