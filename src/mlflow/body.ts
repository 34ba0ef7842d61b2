import type { Readable } from 'node:stream';
import type { StreamBody } from '../aws/stream-body.ts';

export type Body = string | Uint8Array | StreamBody;

/** The bytes of a body, or the characters of a text, which are as many at the most. */
export function lengthOf(body: Body): number {
  return isStreamed(body) ? body.bytes : body.length;
}

/** A body as undici takes it, for one try. */
export function forOneTry(body: Body): string | Uint8Array | Readable {
  return isStreamed(body) ? body.open() : body;
}

/** The headers that tell of a body what undici cannot see by itself. */
export function lengthHeader(body: Body | undefined): Record<string, string> {
  return body !== undefined && isStreamed(body) ? { 'content-length': String(body.bytes) } : {};
}

function isStreamed(body: Body): body is StreamBody {
  return typeof body === 'object' && 'open' in body;
}
