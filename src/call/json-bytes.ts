/** The bytes of one element in a body: `[start, end)`. */
export interface Slice {
  start: number;
  end: number;
}

export const bytes = {
  quote: 0x22,
  comma: 0x2c,
  newline: 0x0a,
  openBracket: 0x5b,
  closeBracket: 0x5d,
  openBrace: 0x7b,
  closeBrace: 0x7d,
} as const;

const backslash = 0x5c;

/**
 * Behind the value that begins at `from`: the comma or bracket at its own depth, or `limit`.
 * Brackets are counted, not matched: what is wrong with them, the parser says.
 */
export function endOfValue(body: Buffer, from: number, limit: number): number {
  let depth = 0;
  let position = from;
  while (position < limit) {
    const byte = body[position];
    if (byte === bytes.quote) {
      position = endOfString(body, position);
      continue;
    }
    if (byte === bytes.openBrace || byte === bytes.openBracket) depth += 1;
    else if (byte === bytes.closeBrace || byte === bytes.closeBracket) {
      if (depth === 0) return position;
      depth -= 1;
    } else if (byte === bytes.comma && depth === 0) return position;
    position += 1;
  }
  return limit;
}

/** How many objects, lists and strings (the names of members, too) stand in it. */
export function countParts(body: Buffer, { start, end }: Slice): number {
  let count = 0;
  let position = start;
  while (position < end) {
    const byte = body[position];
    if (byte === bytes.quote) {
      count += 1;
      position = endOfString(body, position);
      continue;
    }
    if (byte === bytes.openBrace || byte === bytes.openBracket) count += 1;
    position += 1;
  }
  return count;
}

/** Behind the string whose quote stands at `from`, or the end of the body. */
export function endOfString(body: Buffer, from: number): number {
  let close = body.indexOf(bytes.quote, from + 1);
  while (close !== -1) {
    let backslashes = 0;
    while (body[close - 1 - backslashes] === backslash) backslashes += 1;
    if (backslashes % 2 === 0) return close + 1;
    close = body.indexOf(bytes.quote, close + 1);
  }
  return body.length;
}

export function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === bytes.newline || byte === 0x0d || byte === 0x09;
}

/** The first position from `from` on that is no white space. */
export function skipSpace(body: Buffer, from: number): number {
  let position = from;
  while (position < body.length && isSpace(body[position])) position += 1;
  return position;
}

/** The last position up to `from` that is no white space; -1 where there is none. */
export function lastNonSpace(body: Buffer, from: number): number {
  let position = from;
  while (position >= 0 && isSpace(body[position])) position -= 1;
  return position;
}

/** The bytes between `from` and `to` without the white space around them. */
export function trimmed(body: Buffer, from: number, to: number): Slice {
  const start = Math.min(skipSpace(body, from), to);
  return { start, end: Math.max(lastNonSpace(body, to - 1) + 1, start) };
}
