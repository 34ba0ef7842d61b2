import { InvalidArgumentError } from 'commander';

const units: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3_600e3, d: 86_400e3 };

/**
 * A moment as people give it, as Unix milliseconds: `2h` ago, or an ISO date.
 *
 * @throws InvalidArgumentError for anything else.
 */
export function parseMoment(text: string, now: number): number {
  const [, count, unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? [];
  if (count !== undefined) return now - Number(count) * (units[unit] ?? 0);
  const moment = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(moment)) {
    throw new InvalidArgumentError(
      'It is a time ago such as 30m, 2h or 7d, or a date such as 2026-11-24T08:00Z.',
    );
  }
  return moment;
}

/**
 * A moment from which on something is looked for.
 *
 * @throws InvalidArgumentError for what is no moment, or is still to come.
 */
export function parseSince(text: string, now: number): number {
  const moment = parseMoment(text, now);
  if (moment > now) throw new InvalidArgumentError('It is still to come.');
  return moment;
}

/**
 * A whole number from 1 on.
 *
 * @throws InvalidArgumentError for anything else.
 */
export function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new InvalidArgumentError('It is a whole number from 1 on.');
}
