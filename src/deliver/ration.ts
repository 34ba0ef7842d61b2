import type { Clock } from './clock.ts';

/** A token bucket, in requests a second, that adapts to what the server bears. */
export interface Ration {
  /** Resolves when the next request may go out. */
  acquire(): Promise<void>;
  /** The server refused a request for its rate: a tenth less, at most once a second. */
  throttled(): void;
  /** Requests a second at present; absent when there is no ration. */
  rate(): number | undefined;
}

const cut = 0.9;
/** Of the full rate, regained in each second without a refusal. */
const regain = 0.01;
const leastRate = 0.1;
const second = 1000;

/**
 * A ration of `fullRate()` requests a second with bursts of one second's worth; none while that is
 * `undefined`.
 */
export function createRation(fullRate: () => number | undefined, clock: Clock): Ration {
  /** What the server bears of the full rate. */
  let share = 1;
  let changedAt = clock.ticks();
  /** When the bucket would be empty of debts: the "theoretical arrival time" of GCRA. */
  let paidUntil = 0;

  const regainUntil = (now: number) => {
    const seconds = Math.floor((now - changedAt) / second);
    if (seconds < 1) return;
    share = Math.min(1, share + seconds * regain);
    changedAt += seconds * second;
  };
  const rate = () => {
    const full = fullRate();
    return full === undefined ? undefined : Math.min(full, Math.max(leastRate, full * share));
  };

  return {
    acquire: async () => {
      const now = clock.ticks();
      regainUntil(now);
      const current = rate();
      if (current === undefined) return;
      paidUntil = Math.max(paidUntil, now) + second / current;
      const wait = paidUntil - now - Math.max(second, second / current);
      if (wait > 0) await clock.sleep(wait);
    },
    throttled: () => {
      const now = clock.ticks();
      if (now - changedAt < second && share < 1) return;
      regainUntil(now);
      share *= cut;
      changedAt = now;
    },
    rate,
  };
}
