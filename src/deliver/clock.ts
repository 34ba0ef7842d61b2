import { setTimeout as sleep } from 'node:timers/promises';

/** Time, as an argument. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  /** Milliseconds from some moment on, which nobody can set back. */
  ticks(): number;
  /** Resolves after `ms` milliseconds, or at once when `signal` is aborted; it never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: Date.now,
  ticks: () => performance.now(),
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, { ...(signal && { signal }) }).catch(() => undefined);
  },
};
