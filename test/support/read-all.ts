import { type BatchElement, readBatch } from '../../src/call/read-batch.ts';

/** All elements of a body. */
export function readAll(body: Buffer): BatchElement[] {
  return [...readBatch(body)];
}
