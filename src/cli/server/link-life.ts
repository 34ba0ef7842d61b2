import { InvalidArgumentError } from 'commander';

/** What SageMaker takes for a link's own life, and for the session it opens, in seconds. */
export const linkRanges = { expires: [5, 300], session: [1_800, 43_200] } as const;

const unitSeconds: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3_600 };

/**
 * Seconds, as `300`, `300s`, `5m` or `12h`, within the range that SageMaker takes: it is checked here,
 * since Amazon's client sends whatever it is given.
 *
 * @throws InvalidArgumentError for anything else.
 */
export function parseLife(text: string, which: keyof typeof linkRanges): number {
  const [least, most] = linkRanges[which];
  const [, count, unit = ''] = /^(\d{1,9})([smh]?)$/.exec(text) ?? [];
  const seconds = Number(count) * (unitSeconds[unit] ?? Number.NaN);
  if (seconds >= least && seconds <= most) return seconds;
  throw new InvalidArgumentError(
    `It is from ${least} to ${most} seconds, such as ${most}, ${most}s or ${most >= 3600 ? '12h' : '5m'}.`,
  );
}

/** `12 h`, `5 min` or `90 s`. */
export function lifeWords(seconds: number): string {
  if (seconds % 3_600 === 0) return `${seconds / 3_600} h`;
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}
