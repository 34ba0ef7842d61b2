/** CDK's context, as the command line (texts) or `cdk.json` (any JSON) gives it. */
export type Context = Readonly<Record<string, unknown>>;

/** Reads values of the context; what is wrong is collected, so that all of it is said at once. */
export interface ContextReader {
  readonly problems: string[];
  /** A text of a form; `undefined` where it is not set, or wrong. */
  text(name: string, form: RegExp, allowed: string): string | undefined;
  /** The same, of a value that has to be set. */
  needed(name: string, form: RegExp, allowed: string): string;
  /** Texts, separated by commas; at least one. */
  list(name: string, form: RegExp, allowed: string): readonly string[];
  oneOf<const Word extends string>(name: string, words: readonly Word[], otherwise: Word): Word;
  /** `true`; anything but that and `false` is wrong. */
  flag(name: string): boolean;
  whole(name: string, least: number, most: number): number | undefined;
  /** A number of days, 1 to 3650. */
  days(name: string): number | undefined;
  /** Complains of values that are set and would do nothing. */
  unused(names: readonly string[], why: string): void;
  /** Complains of values that no parameter has the name of. */
  unknown(names: readonly string[]): void;
}

/** An empty value counts as not set. */
export function contextReader(context: Context): ContextReader {
  const problems: string[] = [];
  const given = (name: string): string | undefined => {
    const value = context[name];
    if (value === undefined || value === null || value === '') return undefined;
    return Array.isArray(value) ? value.join(',') : String(value);
  };
  const complain = (name: string, value: string, allowed: string) => {
    problems.push(`${name}: ${JSON.stringify(value)} is not ${allowed}`);
  };
  const text: ContextReader['text'] = (name, form, allowed) => {
    const value = given(name);
    if (value === undefined || form.test(value)) return value;
    complain(name, value, allowed);
    return undefined;
  };
  const whole: ContextReader['whole'] = (name, least, most) => {
    const value = given(name);
    if (value === undefined) return undefined;
    const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
    if (number >= least && number <= most) return number;
    complain(name, value, `a whole number from ${least} to ${most}`);
    return undefined;
  };
  const oneOf: ContextReader['oneOf'] = (name, words, otherwise) => {
    const value = given(name) ?? otherwise;
    const word = words.find((candidate) => candidate === value);
    if (word === undefined) complain(name, value, `one of ${words.join(', ')}`);
    return word ?? otherwise;
  };
  return {
    problems,
    text,
    whole,
    oneOf,
    flag: (name) => oneOf(name, ['true', 'false'], 'false') === 'true',
    needed: (name, form, allowed) => {
      if (given(name) === undefined) problems.push(`${name}: not set; it has to be ${allowed}`);
      return text(name, form, allowed) ?? '';
    },
    list: (name, form, allowed) => {
      const value = given(name);
      if (value === undefined) {
        problems.push(`${name}: not set; it has to be ${allowed}, or several with commas between`);
      }
      const parts = (value ?? '').split(',').map((part) => part.trim());
      for (const part of parts) {
        if (value !== undefined && !form.test(part)) complain(name, part, allowed);
      }
      return parts;
    },
    days: (name) => whole(name, 1, 3650),
    unused: (names, why) => {
      for (const name of names) {
        if (given(name) !== undefined) problems.push(`${name}: set, but ${why}`);
      }
    },
    unknown: (names) => {
      // CDK's own values have other characters in their names.
      for (const name of Object.keys(context)) {
        if (/^\w+$/.test(name) && !names.includes(name)) {
          problems.push(`${name}: no such parameter; there are ${names.join(', ')}`);
        }
      }
    },
  };
}
