import type { Readable } from 'node:stream';

/** A body that is never in memory whole, such as a file on disk. */
export interface StreamBody {
  /** Its length in bytes. */
  bytes: number;
  /** Reads it from its beginning, as often as it is sent. */
  open: () => Readable;
}
