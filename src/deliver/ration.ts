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

/** A ration of `rate` requests a second with bursts of one second's worth; none for `undefined`. */
export function createRation(rate: number | undefined, clock: Clock): Ration {
  if (rate === undefined) {
    return { acquire: async () => undefined, throttled: () => undefined, rate: () => undefined };
  }
  let current = rate;
  let changedAt = clock.ticks();
  /** When the bucket would be empty of debts: the "theoretical arrival time" of GCRA. */
  let paidUntil = 0;

  const regainUntil = (now: number) => {
    const seconds = Math.floor((now - changedAt) / second);
    if (seconds < 1) return;
    current = Math.min(rate, current + seconds * rate * regain);
    changedAt += seconds * second;
  };

  return {
    acquire: async () => {
      const now = clock.ticks();
      regainUntil(now);
      paidUntil = Math.max(paidUntil, now) + second / current;
      const wait = paidUntil - now - Math.max(second, second / current);
      if (wait > 0) await clock.sleep(wait);
    },
    throttled: () => {
      const now = clock.ticks();
      if (now - changedAt < second && current < rate) return;
      regainUntil(now);
      current = Math.max(leastRate, current * cut);
      changedAt = now;
    },
    rate: () => current,
  };
}
