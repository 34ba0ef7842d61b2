/**
 * Reads one JSON text as Python's `json.dumps` may write it.
 *
 * Beyond JSON it takes bare `NaN`, `Infinity` and `-Infinity`, and keeps integers beyond 2^53 exact:
 * each becomes its own text, as protobuf's JSON mapping has it. Lone surrogates become U+FFFD and
 * NUL vanishes, since neither MLflow's JSON nor PostgreSQL takes them.
 *
 * @throws SyntaxError where even that does not help. Its message quotes the input: never log it.
 */
export function parseLenientJson(text: string): unknown {
  const escapesMended = badEscape.test(text) ? mendEscapes(text) : text;
  if (longInteger.test(escapesMended)) return JSON.parse(quoteNumbers(escapesMended));
  try {
    return JSON.parse(escapesMended);
  } catch (error) {
    if (!bareWord.test(escapesMended)) throw error;
    return JSON.parse(quoteNumbers(escapesMended));
  }
}

const badEscape = /\\u(?:0000|[dD][89a-fA-F])/;
const anyEscape =
  /\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\u0000|\\./g;

function mendEscapes(text: string): string {
  return text.replace(anyEscape, (sequence) => {
    if (sequence === '\\u0000') return '';
    const loneSurrogate = sequence.length === 6 && badEscape.test(sequence);
    return loneSurrogate ? '\\ufffd' : sequence;
  });
}

/** Sixteen digits that neither follow a point nor belong to a longer run: cheap, and never misses. */
const longInteger = /(?<![.\d])\d{16}/;
const bareWord = /NaN|Infinity/;
const bareNumber = /-?Infinity|NaN|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Puts quotes around bare numbers that a JavaScript number cannot hold, outside of strings. */
function quoteNumbers(text: string): string {
  const parts: string[] = [];
  let position = 0;
  while (position < text.length) {
    const quote = text.indexOf('"', position);
    const end = quote === -1 ? text.length : quote;
    parts.push(text.slice(position, end).replace(bareNumber, quoteIfUnsafe));
    if (quote === -1) break;
    const after = endOfString(text, quote);
    parts.push(text.slice(quote, after));
    position = after;
  }
  return parts.join('');
}

function quoteIfUnsafe(number: string): string {
  const value = Number(number);
  const exact = /^-?\d+$/.test(number) ? Number.isSafeInteger(value) : Number.isFinite(value);
  return exact ? number : `"${number}"`;
}

/** The position behind the string that opens at `quote`. */
function endOfString(text: string, quote: number): number {
  let close = text.indexOf('"', quote + 1);
  while (close !== -1 && isEscaped(text, close)) close = text.indexOf('"', close + 1);
  return close === -1 ? text.length : close + 1;
}

function isEscaped(text: string, position: number): boolean {
  let backslashes = 0;
  while (text[position - 1 - backslashes] === '\\') backslashes += 1;
  return backslashes % 2 === 1;
}
