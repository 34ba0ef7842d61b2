import { z } from 'zod';

/*
 * The kinds of values that settings have. Each says in its message what is allowed, whatever is
 * wrong, in words that follow "must be": the message is all that an operator sees.
 */

/** A value that no message may show; from the environment it can also come in a file. */
export function secret<Schema extends z.ZodType>(schema: Schema): Schema {
  return schema.meta({ writeOnly: true });
}

/** A text that is not empty. */
export function text(what: string) {
  return z.string(what).min(1, what);
}

/** A whole number within bounds. */
export function wholeNumber(least: number, most: number) {
  const allowed = `a whole number from ${least} to ${most}`;
  return z.int(allowed).min(least, allowed).max(most, allowed);
}

/** A number within bounds. */
export function numberBetween(least: number, most: number) {
  const allowed = `a number from ${least} to ${most}`;
  return z.number(allowed).min(least, allowed).max(most, allowed);
}

/** One of a few words. */
export function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  const allowed = words.length === 1 ? `'${words[0]}'` : `one of ${words.join(', ')}`;
  return z.enum(words, allowed);
}

const millisecondsIn = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A duration such as `8s`, `500ms` or `1h`; parsed, it is milliseconds. */
export function duration(least: string, most: string) {
  const allowed = `a duration from ${least} to ${most}, such as 500ms, 30s, 5m, 1h or 2d`;
  return amount(/^\d+(\.\d+)?(ms|s|m|h|d)$/, millisecondsIn, least, most, allowed);
}

const bytesIn = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** A size such as `256MiB` or `10GB`; parsed, it is bytes. */
export function size(least: string, most: string) {
  const allowed = `a size from ${least} to ${most}, such as 64MiB or 10GB`;
  return amount(/^\d+(\.\d+)?([kMGT]?B|[KMGT]iB)$/, bytesIn, least, most, allowed);
}

function amount(
  form: RegExp,
  units: Readonly<Record<string, number>>,
  least: string,
  most: string,
  allowed: string,
) {
  const inUnits = (written: string): number => {
    const [, number, unit = ''] = /^([\d.]+)([a-zA-Z]+)$/.exec(written) ?? [];
    return Math.round(Number(number) * (units[unit] ?? Number.NaN));
  };
  return z
    .string(allowed)
    .regex(form, allowed)
    .transform(inUnits)
    .refine((value) => value >= inUnits(least) && value <= inUnits(most), allowed);
}
