import { hidesUnder, secretWords } from './secret-names.ts';
import { endAt, type Finder, type Span, type TextView } from './text-view.ts';

/**
 * The name of a secret and what stands between it and its value: `"api_key": "`, `password=`,
 * `Authorization: `, `(b'cookie', b'`. Repetitions are bounded, and none begins anew within another.
 */
const named = new RegExp(
  `(${secretWords})(["'\`])?(\\s{0,8}(?:=>|[:=])\\s{0,8}|(?<=["'])\\s{0,4},\\s{0,4})` +
    `(\\[\\s{0,8})?(?:b(?=["']))?(["'])?`,
  'gi',
);
/** What stands before the name of a pair, such as `[b"`, and behind its value. */
const beginOfPair = /[[(]\s{0,4}b?["'][\w-]{0,64}$/;
const endOfPair = /\s{0,4}[\])]/y;
const longestPair = 4096;
const nextInList = /\s{0,8},\s{0,8}["']/y;
/** The value of a header, up to the end of its line or of what it is quoted in. */
const headerValue = /[^\s"'`{}[\]()][^"'`}\r\n]*/y;
/** A header's value that is no prose, wherever people write. */
const evidentHeader = /(?=[^"'`}\r\n]{0,256}\d)/y;
const evidentCookie = /[^\s=;,"']{1,128}=/y;
const plainValue = /[^\s"',;}]{6}[^\s"',;}]*/y;
const shortestToken = 6;
const wholeNumber = /-?\d+(?:\.\d+)?(?![^\s"',;}\])])/y;
const literal = /[{[]|(?:true|false|null|None|True|False)\b/y;

/** A name that was found. */
interface Named {
  word: string;
  /** Where the quote behind it stands, as with a member of JSON. */
  nameQuote: number | undefined;
  isPair: boolean;
  inList: boolean;
  /** The quote that opens its value, which begins at `start`. */
  quote: string | undefined;
  start: number;
}

/**
 * Secrets that are named: members of JSON and of Python's dictionaries at any depth of quoting, up to
 * their closing quotes, headers up to the ends of their lines, parameters, pairs.
 *
 * @param strict Whether the name is enough. Otherwise, where people write, cookies and authorization
 *   have to look like such, and names in the plural are none.
 */
export function namedSecrets(instead: string, strict: boolean): Finder {
  return (view) => {
    const spans: Span[] = [];
    named.lastIndex = 0;
    let found = named.exec(view.text);
    for (; found !== null; found = named.exec(view.text)) {
      const name = namedIn(view.text, found);
      const values = name && valuesOf(view, name, strict, instead);
      if (values === undefined) continue;
      for (const span of values) spans.push(span);
      // What was read is not read again.
      named.lastIndex = Math.max(named.lastIndex, values.at(-1)?.end ?? 0);
    }
    return spans;
  };
}

function namedIn(text: string, found: RegExpExecArray): Named | undefined {
  const [all, word = '', nameQuote, sign = '', list, quote] = found;
  const isPair = sign.includes(',');
  if (isPair) {
    const before = text.slice(Math.max(0, found.index - 80), found.index);
    if (quote === undefined || !beginOfPair.test(before)) return undefined;
  }
  return {
    word: word.toLowerCase(),
    nameQuote: nameQuote === undefined ? undefined : found.index + word.length,
    isPair,
    inList: list !== undefined,
    quote,
    start: found.index + all.length,
  };
}

function valuesOf(view: TextView, name: Named, strict: boolean, instead: string): Span[] {
  const { word, quote, start } = name;
  const isCookie = word.startsWith('cookie');
  if (!strict && isCookie && !matchesAt(evidentCookie, view.text, start)) return [];
  if (quote !== undefined) return quotedValues(view, { ...name, quote }, strict, instead);
  if (name.nameQuote !== undefined) {
    if (matchesAt(literal, view.text, start)) return [];
    const numberEnd = endAt(wholeNumber, view.text, start);
    if (numberEnd !== undefined) {
      // In quotes as the name is, or JSON would be none any more.
      const mark = view.source.slice(view.at(name.nameQuote), view.at(name.nameQuote + 1));
      return hidesUnder(word, 0) ? [{ start, end: numberEnd, instead: mark + instead + mark }] : [];
    }
  }
  if (isCookie || word === 'authorization') {
    if (!strict && !isCookie && !matchesAt(evidentHeader, view.text, start)) return [];
    return spanTo(endAt(headerValue, view.text, start), start, instead);
  }
  // Said of much that is none, and of the folder that a program is in.
  if (/^(?:signature|credential)|(?<!s)s$/.test(word) && !strict) return [];
  if (word === 'pwd' && matchesAt(/[/~]/y, view.text, start)) return [];
  if (!hidesUnder(word, 0) && matchesAt(wholeNumber, view.text, start)) return [];
  return spanTo(endAt(plainValue, view.text, start), start, instead);
}

/** A value in quotes, and those that follow it in a list. */
function quotedValues(
  view: TextView,
  name: Named & { quote: string },
  strict: boolean,
  instead: string,
): Span[] {
  const spans: Span[] = [];
  const { text, at } = view;
  let start: number | undefined = name.start;
  while (start !== undefined) {
    const depth = at(start) - at(start - 1) - 1;
    const end = closingQuote(view, name.quote, start, depth, name.isPair ? longestPair : Infinity);
    if (name.isPair && !matchesAt(endOfPair, text, end + 1)) return [];
    const isWord = !strict && name.word === 'token' && end - start < shortestToken;
    if (end > start && !isWord) spans.push({ start, end, instead });
    start = name.inList ? endAt(nextInList, text, end + 1) : undefined;
  }
  return spans;
}

/**
 * Where a text ends that was opened by `quote` behind `depth` backslashes: at such a quote that is
 * not escaped in it, or, where there is none, with the line.
 *
 * Quotes stand behind 0, 1, 3, 7, … backslashes, by how often the text was quoted, and behind twice
 * as many more for each backslash at the end of the value.
 */
function closingQuote(
  { text, at }: TextView,
  quote: string,
  start: number,
  depth: number,
  most: number,
): number {
  const end = quote === '"' ? /["\r\n]/g : /['\r\n]/g;
  end.lastIndex = start;
  for (let found = end.exec(text); found !== null; found = end.exec(text)) {
    const { index } = found;
    if (index - start > most) return index;
    const backslashes = at(index + 1) - at(index) - 1;
    if (found[0] === quote ? backslashes % (2 * (depth + 1)) === depth : backslashes === 0) {
      return index;
    }
  }
  return text.length;
}

function spanTo(end: number | undefined, start: number, instead: string): Span[] {
  return end === undefined ? [] : [{ start, end, instead }];
}

function matchesAt(sticky: RegExp, text: string, index: number): boolean {
  return endAt(sticky, text, index) !== undefined;
}
