/** The bytes of one call in a body: `[start, end)`. */
export interface Slice {
  start: number;
  end: number;
}

/** A body taken apart. `not_json`: it does not begin like a batch of JSON objects at all. */
export type SplitBody =
  | { format: 'json_array' | 'ndjson' | 'single'; slices: Slice[] }
  | { format: 'not_json' }
  | { format: 'empty' };

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const newline = 0x0a;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** What the bytes of a slice are: a call, other JSON, or no JSON. */
export type Look = (slice: Slice) => 'call' | 'json' | 'broken';

/**
 * Takes a body apart by its bytes, in whichever of LiteLLM's three formats it comes: LiteLLM labels
 * all of them `application/json`, so the body alone tells.
 *
 * Nothing is parsed here; a slice may hold anything. `look` is asked of each slice of an array:
 * where one is broken, the damage may have swallowed its neighbours, and the split looks inside it
 * for the next call. So a broken call costs itself alone.
 */
export function splitBody(body: Buffer, look: Look): SplitBody {
  const start = skipSpace(body, hasByteOrderMark(body) ? 3 : 0);
  if (start === body.length) return { format: 'empty' };
  if (body[start] === openBracket) {
    return { format: 'json_array', slices: splitArray(body, start + 1, look) };
  }
  if (body[start] !== openBrace) return { format: 'not_json' };
  const lines = splitLines(body, start);
  return isNdjson(body, lines, look)
    ? { format: 'ndjson', slices: lines }
    : { format: 'single', slices: [trimmed(body, start, body.length)] };
}

function splitArray(body: Buffer, from: number, look: Look): Slice[] {
  const slices: Slice[] = [];
  let position = from;
  for (;;) {
    position = skipSpace(body, position);
    if (position >= body.length) return slices;
    if (body[position] === comma) {
      position += 1;
      continue;
    }
    if (body[position] === closeBracket) {
      const rest = trimmed(body, position + 1, body.length);
      return rest.start < rest.end ? [...slices, rest] : slices;
    }
    const slice = trimmed(body, position, endOfValue(body, position));
    if (slice.end === slice.start) slice.end = slice.start + 1;
    const next = look(slice) === 'broken' ? nextCall(body, slice, slices, look) : undefined;
    if (next === undefined) {
      slices.push(slice);
      position = slice.end;
    } else {
      slices.push(trimmed(body, slice.start, beforeComma(body, next)));
      position = next;
    }
  }
}

/** How many starts inside a broken slice are tried, and how many times its length may be scanned. */
const maxTries = 1000;
const maxRescan = 4;

/**
 * Where, inside a slice that is no JSON, the next call begins: after a comma, with the very
 * bytes that the other calls of the batch begin with (Python writes keys in one order).
 */
function nextCall(body: Buffer, broken: Slice, others: Slice[], look: Look): number | undefined {
  const opening = openingOf(body, others[0]);
  let budget = maxRescan * (broken.end - broken.start);
  let candidate = body.indexOf(opening, broken.start + 1);
  for (let tries = 0; tries < maxTries && candidate !== -1 && budget > 0; tries += 1) {
    if (candidate >= broken.end) return undefined;
    if (body[lastNonSpace(body, candidate - 1)] === comma) {
      const slice = trimmed(body, candidate, endOfValue(body, candidate));
      budget -= slice.end - slice.start;
      if (look(slice) === 'call') return candidate;
    }
    candidate = body.indexOf(opening, candidate + 1);
  }
  return undefined;
}

/** `{"id"`, or whatever stands up to the first key's end in a call that was read. */
function openingOf(body: Buffer, example: Slice | undefined): Buffer {
  if (example !== undefined && body[example.start] === openBrace) {
    const key = body.indexOf(quote, example.start);
    const end = key === -1 ? -1 : body.indexOf(quote, key + 1);
    if (end !== -1 && end < example.end) return body.subarray(example.start, end + 1);
  }
  return Buffer.from('{"id"');
}

/** Behind the value that begins at `from`: the comma or bracket at its own depth, or the end. */
function endOfValue(body: Buffer, from: number): number {
  let depth = 0;
  let position = from;
  while (position < body.length) {
    const byte = body[position];
    if (byte === quote) {
      position = endOfString(body, position);
      continue;
    }
    if (byte === openBrace || byte === openBracket) depth += 1;
    else if (byte === closeBrace || byte === closeBracket) {
      if (depth === 0) return position;
      depth -= 1;
    } else if (byte === comma && depth === 0) return position;
    position += 1;
  }
  return body.length;
}

function endOfString(body: Buffer, from: number): number {
  let close = body.indexOf(quote, from + 1);
  while (close !== -1) {
    let backslashes = 0;
    while (body[close - 1 - backslashes] === backslash) backslashes += 1;
    if (backslashes % 2 === 0) return close + 1;
    close = body.indexOf(quote, close + 1);
  }
  return body.length;
}

function splitLines(body: Buffer, from: number): Slice[] {
  const lines: Slice[] = [];
  for (let start = from; start < body.length; ) {
    const found = body.indexOf(newline, start);
    const end = found === -1 ? body.length : found;
    const line = trimmed(body, start, end);
    if (line.start < line.end) lines.push(line);
    start = end + 1;
  }
  return lines;
}

/**
 * Many lines of which the first is whole, or of which a later one is a call that begins at its
 * very first column, are calls of their own; a single call that was printed over many lines is neither.
 */
function isNdjson(body: Buffer, lines: Slice[], look: Look): boolean {
  const [first, ...others] = lines;
  if (first === undefined || others.length === 0) return false;
  if (look(first) !== 'broken') return true;
  return others.some(
    (line) =>
      body[line.start] === openBrace && body[line.start - 1] === newline && look(line) === 'call',
  );
}

function hasByteOrderMark(body: Buffer): boolean {
  return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === newline || byte === 0x0d || byte === 0x09;
}

function skipSpace(body: Buffer, from: number): number {
  let position = from;
  while (position < body.length && isSpace(body[position])) position += 1;
  return position;
}

function lastNonSpace(body: Buffer, from: number): number {
  let position = from;
  while (position >= 0 && isSpace(body[position])) position -= 1;
  return position;
}

function beforeComma(body: Buffer, position: number): number {
  return lastNonSpace(body, position - 1);
}

function trimmed(body: Buffer, from: number, to: number): Slice {
  const start = skipSpace(body, from);
  const end = lastNonSpace(body, to - 1) + 1;
  return { start: Math.min(start, to), end: Math.max(end, Math.min(start, to)) };
}
