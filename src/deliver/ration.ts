import type { Clock } from './clock.ts';

/** A token bucket, in requests a second, that adapts to what the server bears. */
export interface Ration {
  /**
   * Resolves when the next request may go out. One that goes `first` does not queue behind others, as
   * long as such requests take no more than a tenth of the rate; the others wait so much longer for it.
   */
  acquire(first?: boolean): Promise<void>;
  /** The server refused a request for its rate: a tenth less, at most once a second. */
  throttled(): void;
  /** The server asks for nothing within the next `ms` milliseconds. */
  pause(ms: number): void;
  /** Requests a second at present; absent when there is no ration. */
  rate(): number | undefined;
}

const cut = 0.9;
/** Seconds after which a full rate that was cut is reached again. */
const plateauAfter = 20;
const growth = (1 - cut) / plateauAfter ** 3;
const leastRate = 0.1;
const second = 1000;
/** Of the rate, what may go first; and so many requests at once, which usage and a chunk take. */
const firstShare = 0.1;
const firstBurst = 20;

/**
 * A ration of `fullRate()` requests a second with bursts of one second's worth; none while that is
 * `undefined`.
 *
 * It adapts by CUBIC (RFC 9438), as the retry mode `adaptive` of Amazon's own libraries does: after a
 * refusal a tenth less, soon back near the rate that was refused, long there, and only then beyond it.
 */
export function createRation(fullRate: () => number | undefined, clock: Clock): Ration {
  /** What the server bears of the full rate; and the rate at the last refusal, of the same. */
  let share = 1;
  let lastMost = 1;
  let throttledAt = Number.NEGATIVE_INFINITY;
  /** When the bucket would be empty of debts: the "theoretical arrival time" of GCRA. */
  let paidUntil = 0;
  /** The same of those that go first. */
  let firstPaidUntil = 0;
  let pausedUntil = 0;

  const grow = () => {
    const seconds = (clock.ticks() - throttledAt) / second;
    const plateau = Math.cbrt((lastMost * (1 - cut)) / growth);
    share = Math.min(1, growth * (seconds - plateau) ** 3 + lastMost);
  };
  const rate = () => {
    const full = fullRate();
    return full === undefined ? undefined : Math.min(full, Math.max(leastRate, full * share));
  };

  const goesFirst = (now: number, interval: number): boolean => {
    const each = interval / firstShare;
    if (firstPaidUntil > now + (firstBurst - 1) * each) return false;
    firstPaidUntil = Math.max(firstPaidUntil, now) + each;
    return true;
  };

  return {
    acquire: async (first = false) => {
      grow();
      const now = clock.ticks();
      const current = rate();
      let wait = pausedUntil - now;
      if (current !== undefined) {
        paidUntil = Math.max(paidUntil, pausedUntil, now) + second / current;
        if (!(first && goesFirst(now, second / current)))
          wait = Math.max(wait, paidUntil - now - Math.max(second, second / current));
      }
      if (wait > 0) await clock.sleep(wait);
    },
    throttled: () => {
      const now = clock.ticks();
      if (now - throttledAt < second) return;
      lastMost = share;
      share *= cut;
      throttledAt = now;
    },
    pause: (ms) => {
      pausedUntil = Math.max(pausedUntil, clock.ticks() + ms);
    },
    rate,
  };
}
