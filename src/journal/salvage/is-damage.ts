/** SQLite's primary result codes, https://www.sqlite.org/rescode.html. */
const error = 1;
const noMemory = 7;
const readOnly = 8;
const corrupt = 11;
const full = 13;
const notADatabase = 26;
/** Extended ones: a column holds what its type does not allow, or a key is there already. */
const constraints: readonly (number | undefined)[] = [3091, 1555, 2067];

/**
 * Whether a command met damage in the file. A row whose columns are not of their types is damaged, too:
 * SQLite looks at all of them when one is changed, and the journal writes none. Nor does it write a key
 * twice: it looks first, replaces, or lets SQLite count; so a table and its index tell different things.
 */
export function isDamage(thrown: unknown): boolean {
  const code = primaryCode(thrown);
  const isCorrupt = code === corrupt || code === notADatabase;
  return isCorrupt || constraints.includes(extendedCode(thrown)) || isOutOfRange(thrown);
}

/**
 * Whether opening a file met damage in it: then a missing table and a header that asks for a later
 * SQLite, which thus would only read, come from damage, too.
 */
export function isDamageAtOpening(thrown: unknown): boolean {
  const code = primaryCode(thrown);
  return isDamage(thrown) || code === error || code === readOnly;
}

/** Whether a row of a damaged file cannot be had, whatever the reason; the others may. */
export function isUnreadable(thrown: unknown): boolean {
  const code = primaryCode(thrown);
  const isRows = code !== undefined && code !== noMemory && code !== full;
  return isRows || isOutOfRange(thrown);
}

/** SQLite's primary result code of what `node:sqlite` threw. */
export function primaryCode(thrown: unknown): number | undefined {
  const code = extendedCode(thrown);
  return code === undefined ? undefined : code & 0xff;
}

/** SQLite's extended result code of what `node:sqlite` threw; it tells a failed fsync from a write. */
export function extendedCode(thrown: unknown): number | undefined {
  const isCoded = thrown instanceof Error && 'errcode' in thrown;
  return isCoded && typeof thrown.errcode === 'number' ? thrown.errcode : undefined;
}

/** No number that the journal writes is too large for JavaScript. */
function isOutOfRange(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_OUT_OF_RANGE';
}
