import type { UsageDay } from '../../call/usage-report.ts';
import { localDays } from './local-day.ts';

/** How a day is divided; times are in Unix milliseconds. */
export interface Intervals {
  /** The length of all but the last one of a day. */
  ms: number;
  dayOf(at: number): UsageDay;
  /** The beginning of the interval that `at` lies in. */
  beginningOf(at: number): number;
  /** Its end; the last one of a day ends with it. */
  endOf(at: number): number;
  /** Its number in the day. */
  stepOf(at: number): number;
}

/**
 * Intervals begin with the day, so that what is left of a day that they do not divide, of 23, 24 or 25
 * hours, is its last one.
 *
 * @param ms The length of an interval: whole minutes, an hour at most.
 */
export function createIntervals(timeZone: string, ms: number): Intervals {
  const dayOf = localDays(timeZone);
  const beginningOf = (at: number): number => {
    const { startsAt } = dayOf(at);
    return startsAt + Math.floor((at - startsAt) / ms) * ms;
  };
  return {
    ms,
    dayOf,
    beginningOf,
    stepOf: (at) => Math.floor((beginningOf(at) - dayOf(at).startsAt) / ms),
    endOf: (at) => Math.min(beginningOf(at) + ms, dayOf(at).endsAt),
  };
}
