import type { Clock } from '../clock.ts';

/** How often something may be done over time, whatever waits for it. */
export interface Pace {
  allows(): boolean;
  /** `times` have been done, or will be at once: beyond what is allowed, too, which then costs time. */
  spend(times: number): void;
}

/** @param burst So many at once, and one each `everyMs` milliseconds after them. */
export function createPace(clock: Clock, burst: number, everyMs: number): Pace {
  let spentUntil = Number.NEGATIVE_INFINITY;
  return {
    allows: () => spentUntil <= clock.ticks(),
    spend: (times) => {
      spentUntil = Math.max(spentUntil, clock.ticks() - burst * everyMs) + times * everyMs;
    },
  };
}
