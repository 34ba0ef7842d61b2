import { mapStrings } from './json-strings.ts';
import { parseJson } from './parse-json.ts';

/**
 * Reads one JSON text as Python's `json.dumps` may write it.
 *
 * Beyond JSON it takes bare `NaN`, `Infinity` and `-Infinity`, and keeps integers beyond 2^53 exact:
 * each becomes its own text, as protobuf's JSON mapping has it. Lone surrogates become U+FFFD and
 * NUL vanishes, since neither MLflow's JSON nor PostgreSQL takes them.
 *
 * @throws SyntaxError where even that does not help. Its message quotes the input: never log it.
 * @throws RangeError where it is nested too deeply.
 */
export function parseLenientJson(text: string): unknown {
  const escapesMended = badEscape.test(text) ? mendEscapes(text) : text;
  if (longInteger.test(escapesMended)) return parseJson(quoteNumbers(escapesMended));
  try {
    return parseJson(escapesMended);
  } catch (error) {
    if (!bareWord.test(escapesMended)) throw error;
    return parseJson(quoteNumbers(escapesMended));
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
  return mapStrings(
    text,
    (string) => string,
    (between) => between.replace(bareNumber, quoteIfUnsafe),
  );
}

function quoteIfUnsafe(number: string): string {
  const value = Number(number);
  const exact = /^-?\d+$/.test(number) ? Number.isSafeInteger(value) : Number.isFinite(value);
  return exact ? number : `"${number}"`;
}
