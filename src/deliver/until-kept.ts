import { JournalError } from '../journal/journal.ts';
import type { Clock } from './clock.ts';

/** Repeats a write to the journal until it is on disk. */
export type UntilKept = <T>(write: () => Promise<T>) => Promise<T>;

const waitMs = 1_000;

/**
 * A disk that fails must not make delivery forget what MLflow has answered: the write is tried again
 * each second, and the call goes no further before it succeeds.
 *
 * @param over Aborted when delivery ends; then the journal's error is passed on.
 */
export function createUntilKept(clock: Clock, over: AbortSignal): UntilKept {
  return async (write) => {
    for (;;) {
      try {
        return await write();
      } catch (error) {
        if (!(error instanceof JournalError) || over.aborted) throw error;
        await clock.sleep(waitMs, over);
      }
    }
  };
}

/** Without its journal, delivery is over; what was not kept is still pending there. */
export function ignoreLostJournal(error: unknown): void {
  if (!(error instanceof JournalError)) throw error;
}
