import { errorName } from './error-name.ts';
import type { TrackingServer } from './tracking-server.ts';

export interface SizeQuest {
  describe: () => Promise<TrackingServer>;
  /** Called with the error's name when the size cannot be had, once for each name that is not the last one. */
  onUnknown: (errorName: string) => void;
  /** Resolves after `ms` milliseconds, or when `signal` is aborted. */
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Ends the asking. */
  over: AbortSignal;
}

/** Milliseconds between two questions; each wait is twice the one before. */
const firstWait = 60_000;
const longestWait = 3_600_000;

/** Whether an error's name says that the permission is absent, which somebody has to give first. */
export function saysDenied(name: string): boolean {
  return /AccessDenied|NotAuthorized/.test(name);
}

/**
 * Asks for a tracking server until it answers, once an hour where it may not be asked: a permission that is
 * given with a role takes a while to hold. `undefined` where it was over before; it never throws.
 */
export async function untilDescribed(quest: SizeQuest): Promise<TrackingServer | undefined> {
  const { describe, onUnknown, sleep, over } = quest;
  let told: string | undefined;
  for (let wait = firstWait; !over.aborted; wait = Math.min(2 * wait, longestWait)) {
    try {
      return await describe();
    } catch (error) {
      if (over.aborted) return undefined;
      const name = errorName(error);
      if (name !== told) onUnknown(name);
      told = name;
      await sleep(saysDenied(name) ? longestWait : wait, over);
    }
  }
  return undefined;
}
