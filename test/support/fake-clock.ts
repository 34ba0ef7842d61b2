import type { Clock } from '../../src/deliver/clock.ts';

/** A clock that stands still until a test moves it; what sleeps wakes when its time has come. */
export interface FakeClock extends Clock {
  advance(ms: number): void;
  /** How many sleep. */
  sleeping(): number;
  /** Resolves as soon as anything sleeps. */
  asleep(): Promise<void>;
}

export function fakeClock(start = 1_800_000_000_000): FakeClock {
  let now = start;
  let sleepers: { until: number; wake: () => void }[] = [];
  const watchers: (() => void)[] = [];
  return {
    now: () => now,
    ticks: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted || ms <= 0) return resolve();
        const wake = () => {
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        signal?.addEventListener('abort', wake);
        sleepers.push({ until: now + ms, wake });
        for (const watcher of watchers.splice(0)) watcher();
      }),
    sleeping: () => sleepers.length,
    asleep: () =>
      new Promise((resolve) => {
        if (sleepers.length > 0) resolve();
        else watchers.push(resolve);
      }),
    advance: (ms) => {
      now += ms;
      const due = sleepers.filter(({ until }) => until <= now);
      sleepers = sleepers.filter(({ until }) => until > now);
      for (const { wake } of due) wake();
    },
  };
}
