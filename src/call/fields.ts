/** A JSON object whose members have not been checked. */
export type Fields = Readonly<Record<string, unknown>>;

const nothing: Fields = Object.freeze({});

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object in `value`, or an empty one where it is anything else. */
export function objectIn(value: unknown): Fields {
  return isObject(value) ? value : nothing;
}

/** A text that says something: numbers and booleans become text, the rest and `''` are absent. */
export function textIn(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (typeof value === 'boolean') return String(value);
  return undefined;
}

/** The beginning of `text`, at most `length` UTF-16 units and never half a character. */
export function beginningOf(text: string, length: number): string {
  if (text.length <= length) return text;
  return text.slice(0, isHighSurrogate(text.charCodeAt(length - 1)) ? length - 1 : length);
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

/** A finite number; everything else, numeric text included, is absent. */
export function numberIn(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** A count: a finite number that is not negative, without its fraction. */
export function countIn(value: unknown): number | undefined {
  const number = numberIn(value);
  return number === undefined || number < 0 ? undefined : Math.trunc(number);
}

type Given<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> };

/** `fields` without those that are not known. */
export function given<T extends object>(fields: T): Given<T> {
  const known: Given<T> = {};
  for (const name of Object.keys(fields) as (keyof T)[]) {
    const value = fields[name];
    if (value !== undefined) known[name] = value as Exclude<T[typeof name], undefined>;
  }
  return known;
}
