import { bytes, type Slice, skipSpace, trimmed } from './json-bytes.ts';
import { type Look, splitArray } from './split-array.ts';

/** A body taken apart. `not_json`: it does not begin like a batch of JSON objects at all. */
export type SplitBody =
  | { format: 'json_array' | 'ndjson' | 'single'; slices: Iterable<Slice> }
  | { format: 'not_json' }
  | { format: 'empty' };

/**
 * Takes a body apart by its bytes, in whichever of LiteLLM's three formats it comes: LiteLLM labels
 * all of them `application/json`, so the body alone tells.
 *
 * Nothing is parsed here; a slice may hold anything, and `look` is asked what it is. The time it
 * takes grows with the body's length, whatever the body is.
 */
export function splitBody(body: Buffer, look: Look): SplitBody {
  const start = skipSpace(body, hasByteOrderMark(body) ? 3 : 0);
  if (start === body.length) return { format: 'empty' };
  if (body[start] === bytes.openBracket) {
    return { format: 'json_array', slices: splitArray(body, start + 1, look) };
  }
  if (isNdjson(body, start, look)) return { format: 'ndjson', slices: linesOf(body, start) };
  if (body[start] !== bytes.openBrace) return { format: 'not_json' };
  return { format: 'single', slices: [trimmed(body, start, body.length)] };
}

function* linesOf(body: Buffer, from: number): Generator<Slice> {
  for (let start = from; start < body.length; ) {
    const found = body.indexOf(bytes.newline, start);
    const end = found === -1 ? body.length : found;
    const line = trimmed(body, start, end);
    if (line.start < line.end) yield line;
    start = end + 1;
  }
}

/** How many lines are looked at in search of a call, where the first is none. */
const maxLooks = 1000;

/**
 * Many lines of which the first is an object, or of which a later one is a call that begins at its
 * very first column, are calls of their own; a single call that was printed over many lines is neither.
 */
function isNdjson(body: Buffer, start: number, look: Look): boolean {
  const lines = linesOf(body, start);
  const first = lines.next().value;
  if (first === undefined || first.end === trimmed(body, start, body.length).end) return false;
  if (isBraced(body, first) && look(first) !== 'broken') return true;
  let looks = 0;
  for (const line of lines) {
    if (body[line.start - 1] !== bytes.newline || !isBraced(body, line)) continue;
    if (look(line) === 'call') return true;
    looks += 1;
    if (looks === maxLooks) return false;
  }
  return false;
}

function isBraced(body: Buffer, { start, end }: Slice): boolean {
  return body[start] === bytes.openBrace && body[end - 1] === bytes.closeBrace;
}

function hasByteOrderMark(body: Buffer): boolean {
  return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf;
}
