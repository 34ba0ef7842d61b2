/**
 * A text as its reader will see it: JSON that stands in a text, a Python `repr` or a log line has
 * escapes in it, and what follows an escaped line break follows a line break. Patterns look at
 * `text`; what they find is replaced in `source`, always whole escapes, so that JSON stays JSON.
 */
export interface TextView {
  source: string;
  /** `source` with each escape, whatever its depth, as the one UTF-16 unit that it stands for. */
  text: string;
  /** Where in `source` begins what stands at `index` of `text`. */
  at(index: number): number;
}

/** A part of a view's `text`, and what is to stand in its place. */
export interface Span {
  start: number;
  end: number;
  instead: string;
}

/** What is to be replaced: spans in their order, none within another. Linear in the text's length. */
export type Finder = (view: TextView) => readonly Span[];

/** What a character stands for behind a backslash. */
const escaped = new Map(
  Object.entries({
    n: '\n',
    r: '\r',
    t: '\t',
    b: '\b',
    f: '\f',
    '"': '"',
    "'": "'",
    '/': '/',
  }),
);
const code = /^(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2})/;

/** Backslashes in a row escape together what follows them; where it is nothing known, they are one. */
export function viewOf(source: string): TextView {
  let next = source.indexOf('\\');
  if (next === -1) return { source, text: source, at: (index) => index };
  /** Behind each escape of more than one unit: its place in `text`, and how much longer `source` is. */
  const places: number[] = [];
  const shifts: number[] = [];
  let shift = 0;
  let text = '';
  let done = 0;
  for (; next !== -1; next = source.indexOf('\\', done)) {
    let end = next + 1;
    while (source[end] === '\\') end += 1;
    const letter = source.charAt(end);
    let meant = escaped.get(letter);
    if (meant !== undefined) end += 1;
    else if (letter === 'u' || letter === 'x') {
      const [digits = ''] = code.exec(source.slice(end, end + 5)) ?? [];
      if (digits !== '') meant = String.fromCharCode(Number.parseInt(digits.slice(1), 16));
      end += digits.length;
    }
    text += source.slice(done, next) + (meant ?? '\\');
    if (end - next > 1) {
      places.push(next - shift + 1);
      shift += end - next - 1;
      shifts.push(shift);
    }
    done = end;
  }
  return {
    source,
    text: text + source.slice(done),
    at: (index) => index + (shifts[countUpTo(places, index) - 1] ?? 0),
  };
}

/** How many of the ascending `places` are `index` or less. */
function countUpTo(places: readonly number[], index: number): number {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((places[middle] ?? 0) <= index) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A view with what each of `finders` finds replaced, one after the other. */
export function replaceFound(view: TextView, finders: readonly Finder[]): TextView {
  return finders.reduce((current, find) => {
    const spans = find(current);
    return spans.length > 0 ? viewOf(replaced(current, spans)) : current;
  }, view);
}

/** The source of `view` with `spans` of its text replaced. */
export function replaced({ source, at }: TextView, spans: readonly Span[]): string {
  let result = '';
  let done = 0;
  for (const { start, end, instead } of spans) {
    result += source.slice(done, at(start)) + instead;
    done = at(end);
  }
  return result + source.slice(done);
}

const nothing: readonly Span[] = [];

/** Finds what `form`, which is global, matches; what its first group holds stays. */
export function formFinder(form: RegExp, instead: string): Finder {
  return ({ text }) => {
    form.lastIndex = 0;
    let found = form.exec(text);
    if (found === null) return nothing;
    const spans: Span[] = [];
    for (; found !== null; found = form.exec(text)) {
      const start = found.index + (found[1]?.length ?? 0);
      spans.push({ start, end: form.lastIndex, instead });
    }
    return spans;
  };
}

/** Where what the sticky pattern matches at `index` ends. */
export function endAt(sticky: RegExp, text: string, index: number): number | undefined {
  sticky.lastIndex = index;
  return sticky.test(text) ? sticky.lastIndex : undefined;
}
