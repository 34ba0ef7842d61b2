/** A part of the room, which the journal's thread fills and the socket is fed from. */
export type BodyPlace = Uint8Array<SharedArrayBuffer>;

/**
 * The memory through which bodies pass from the journal to MLflow: always the same few megabytes,
 * which both threads see. Memory made for each body would be garbage of megabytes a call, and V8
 * collects what lies outside its heap late.
 */
export interface BodyRoom {
  /**
   * Waits, in turn, for a place of `bytes`, and keeps it until `use` is over. A body that is larger
   * than the room gets no place, but the room for itself.
   */
  within<T>(bytes: number, use: (place: BodyPlace | undefined) => Promise<T>): Promise<T>;
}

interface Range {
  start: number;
  end: number;
}

/** @param size Bytes. */
export function createBodyRoom(size: number): BodyRoom {
  const memory = new SharedArrayBuffer(size);
  /** What is taken, in order. */
  const taken: Range[] = [];
  const waiting: { bytes: number; begin: (range: Range) => void }[] = [];

  /** The first gap that is large enough: low places are used again, high ones never touched. */
  const take = (bytes: number): Range | undefined => {
    let start = 0;
    let index = 0;
    for (const range of taken) {
      if (range.start - start >= bytes) break;
      start = range.end;
      index += 1;
    }
    if (start + bytes > size) return undefined;
    const range = { start, end: start + bytes };
    taken.splice(index, 0, range);
    return range;
  };

  const serve = (): void => {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      const range = take(next.bytes);
      if (range === undefined) return;
      waiting.shift();
      next.begin(range);
    }
  };

  return {
    within: async (bytes, use) => {
      const range = await new Promise<Range>((begin) => {
        waiting.push({ bytes: Math.min(bytes, size), begin });
        serve();
      });
      try {
        return await use(bytes > size ? undefined : new Uint8Array(memory, range.start, bytes));
      } finally {
        taken.splice(taken.indexOf(range), 1);
        serve();
      }
    },
  };
}
