/** The time as AWS has it, which may not be this machine's. */
export interface ServerClock {
  /** Unix milliseconds. */
  now(): number;
  /** By how many milliseconds AWS is ahead of this machine, as far as is known. */
  skew(): number;
  /** Learns from an answer's `Date` header; one that cannot be read teaches nothing. */
  learn(date: string | undefined): void;
}

/** A difference of less is none, in milliseconds: AWS bears five minutes, and answers take a while. */
const leastSkew = 60_000;

/** @param localNow Unix milliseconds by this machine's clock. */
export function createServerClock(localNow: () => number): ServerClock {
  let skew = 0;
  return {
    now: () => localNow() + skew,
    skew: () => skew,
    learn: (date = '') => {
      const found = Date.parse(date) - localNow();
      if (Math.abs(found - skew) >= leastSkew) skew = found;
    },
  };
}
