import {
  bytes,
  endOfString,
  endOfValue,
  lastNonSpace,
  type Slice,
  skipSpace,
} from './json-bytes.ts';

/** Where calls seem to begin in an array: behind a comma, with the first keys of the batch's calls. */
export interface CallStarts {
  /** The first behind `position`, or the end of the body. To be asked with rising positions. */
  after(position: number): number;
  /** Shows what a call looks like: Python writes the keys of all of them in the same order. */
  learn(call: Slice): void;
}

/** How far the second key is looked for behind the first; ids have been seen of 430 characters. */
const furthest = 4096;

/**
 * Finds calls by their bytes alone, without knowing whether they lie within a text: there, the quotes
 * of `{"id"` would be escaped. Until a call is known, any object that begins with `id` will do.
 */
export function createCallStarts(body: Buffer): CallStarts {
  let opening: Buffer = Buffer.from('{"id"');
  let secondKey: Buffer | undefined;
  let known = -1;

  const isStart = (at: number): boolean => {
    if (body[lastNonSpace(body, at - 1)] !== bytes.comma) return false;
    if (secondKey === undefined) return true;
    const second = behindFirstMember(body, at);
    return body.subarray(second, second + secondKey.length).equals(secondKey);
  };

  return {
    after: (position) => {
      if (known > position) return known;
      let at = body.indexOf(opening, position + 1);
      while (at !== -1 && !isStart(at)) at = body.indexOf(opening, at + 1);
      known = at === -1 ? body.length : at;
      return known;
    },
    learn: (call) => {
      if (secondKey !== undefined) return;
      const firstKey = skipSpace(body, call.start + 1);
      const second = behindFirstMember(body, call.start);
      if (body[firstKey] !== bytes.quote || body[second] !== bytes.quote) return;
      opening = body.subarray(call.start, endOfString(body, firstKey));
      secondKey = body.subarray(second, endOfString(body, second));
      known = -1;
    },
  };
}

/** Where the second member of the object at `start` begins. */
function behindFirstMember(body: Buffer, start: number): number {
  const comma = endOfValue(body, start + 1, Math.min(start + furthest, body.length));
  return skipSpace(body, comma + 1);
}
