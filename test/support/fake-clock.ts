import type { Clock } from '../../src/deliver/clock.ts';

/** A clock that stands still until a test moves it; what sleeps wakes when its time has come. */
export interface FakeClock extends Clock {
  advance(ms: number): void;
  /** How many sleep. */
  sleeping(): number;
}

export function fakeClock(start = 1_800_000_000_000): FakeClock {
  let now = start;
  let sleepers: { until: number; wake: () => void }[] = [];
  return {
    now: () => now,
    ticks: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted || ms <= 0) return resolve();
        signal?.addEventListener('abort', () => resolve(), { once: true });
        sleepers.push({ until: now + ms, wake: resolve });
      }),
    sleeping: () => sleepers.length,
    advance: (ms) => {
      now += ms;
      const due = sleepers.filter(({ until }) => until <= now);
      sleepers = sleepers.filter(({ until }) => until > now);
      for (const { wake } of due) wake();
    },
  };
}
