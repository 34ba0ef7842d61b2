export interface Backoff {
  /** Milliseconds. */
  first: number;
  longest: number;
}

/**
 * A wait with full jitter: uniform up to a bound that doubles with each attempt.
 *
 * @param attempts Tries so far, from 0.
 * @param random Uniform in [0, 1).
 */
export function fullJitter(backoff: Backoff, attempts: number, random: () => number): number {
  const bound = Math.min(backoff.longest, backoff.first * 2 ** Math.min(attempts, 30));
  return Math.ceil(bound * random());
}
