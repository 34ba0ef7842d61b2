import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const compress = promisify(gzip);

/** Fast rather than small: what repeats in a request of a hundred calls is found at any level. */
const level = 1;

/** A body in gzip, made off the main thread. */
export async function compressed(body: Uint8Array): Promise<Uint8Array> {
  return compress(body, { level });
}
