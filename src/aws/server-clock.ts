/** The time as AWS has it, which may not be this machine's. */
export interface ServerClock {
  /** Unix milliseconds. */
  now(): number;
  /** Learns from an answer's `Date` header; true when the clock was put right by it. */
  learn(date: string | undefined): boolean;
}

/** A difference of less is none, in milliseconds: AWS bears five minutes, and answers take a while. */
const leastSkew = 60_000;

/** @param localNow Unix milliseconds by this machine's clock. */
export function createServerClock(localNow: () => number): ServerClock {
  let skew = 0;
  return {
    now: () => localNow() + skew,
    learn: (date = '') => {
      const found = Date.parse(date) - localNow();
      if (Number.isNaN(found) || Math.abs(found - skew) < leastSkew) return false;
      skew = found;
      return true;
    },
  };
}
