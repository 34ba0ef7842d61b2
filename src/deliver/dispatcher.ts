import { type Journal, JournalError, type PendingCall } from '../journal/journal.ts';
import type { CallEnd } from './call-end.ts';
import type { Clock } from './clock.ts';
import type { Hold } from './hold.ts';
import { ignoreLostJournal, type UntilKept } from './until-kept.ts';

export interface DispatcherParts {
  journal: Pick<Journal, 'take' | 'postpone' | 'settle'>;
  /** The identity of the MLflow server: progress is bound to it. */
  destination: string;
  deliver: (call: PendingCall, destination: string) => Promise<CallEnd>;
  holds: { mlflow: Hold; artifacts: Hold };
  /** The most calls under way at once. */
  maxActive: number;
  clock: Clock;
  /** Commits to the journal, again and again until it is done; rejects once delivery is over. */
  untilKept: UntilKept;
  onEnd: (call: PendingCall, end: CallEnd) => void;
}

/** Takes due calls from the journal, as many at a time as may be under way, and ends them there. */
export interface Dispatcher {
  start(): void;
  /** Calls may have become due. */
  wake(): void;
  /** Whether more calls are due than may be under way. */
  isBusy(): boolean;
  /** Takes no more calls, until it is asked to drain: something else comes first. */
  pause(): void;
  /** Goes on with what is due for `graceMs` at most, then lets go. What is left stays pending. */
  drain(graceMs: number): Promise<void>;
}

export function createDispatcher(parts: DispatcherParts): Dispatcher {
  const { journal, destination, deliver, holds, maxActive, clock, untilKept, onEnd } = parts;
  const stopped = new AbortController();
  const active = new Set<Promise<void>>();
  let draining = false;
  let paused = false;
  let isBusy = false;
  let sleeping = new AbortController();

  const room = (): number => {
    if (paused) return 0;
    switch (holds.mlflow.allows()) {
      case 'all':
        return maxActive - active.size;
      case 'probe':
        return active.size === 0 ? 1 : 0;
      case 'none':
        return 0;
    }
  };

  const end = async (call: PendingCall, ended: CallEnd): Promise<void> => {
    const { seq } = call;
    switch (ended.kind) {
      case 'settled':
        if (ended.settlement.kind === 'recorded') holds.mlflow.succeeded();
        await untilKept(() => journal.settle(seq, ended.settlement, clock.now()));
        break;
      case 'later':
        await untilKept(() => journal.postpone(seq, ended));
        break;
      case 'held': {
        const { progress, by, outcome } = ended;
        holds[by].refused(outcome);
        const state = holds[by].state();
        // Held calls stay due, in their order. Only one that may be at fault itself steps back, so
        // that the next probe is another, and one whose artifacts are held lets others pass.
        const stepsBack = by === 'artifacts' || outcome.suspect !== undefined;
        const dueAt = stepsBack && state.state === 'held' ? state.probeAt : call.receivedAt;
        await untilKept(() => journal.postpone(seq, { dueAt, attempts: call.attempts, progress }));
        break;
      }
    }
    onEnd(call, ended);
  };

  const run = (call: PendingCall): void => {
    const running = deliver(call, destination)
      .catch(endOfBug)
      .then((ended) => end(call, ended))
      .catch(ignoreLostJournal)
      .finally(() => {
        active.delete(running);
        wake();
      });
    active.add(running);
  };

  /** Until when there is nothing to do: a call falls due, a hold allows a probe, or somebody wakes. */
  const rest = async (nextDueAt: number | undefined): Promise<void> => {
    const now = clock.now();
    const state = holds.mlflow.state();
    // A probe that is due already waits for a call, not for the time.
    const probeAt = state.state === 'held' && state.probeAt > now ? state.probeAt : Infinity;
    const until = Math.min(nextDueAt ?? Infinity, probeAt, now + longestRest);
    await clock.sleep(Math.max(0, until - now), sleeping.signal);
  };

  const wake = (): void => sleeping.abort();

  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      sleeping = new AbortController();
      const free = room();
      const taken =
        free > 0
          ? await untilKept(() => journal.take(free, destination, clock.now()))
          : { calls: [] };
      isBusy = holds.mlflow.allows() === 'all' && (free <= 0 || taken.calls.length === free);
      for (const call of taken.calls) run(call);
      const idle = taken.calls.length === 0 && active.size === 0;
      if (draining && idle) return;
      if (taken.calls.length < free || free <= 0) await rest(taken.nextDueAt);
    }
  };
  let looping: Promise<void> = Promise.resolve();

  return {
    start: () => {
      looping = loop().catch(ignoreLostJournal);
    },
    wake,
    isBusy: () => isBusy,
    pause: () => {
      paused = true;
    },
    drain: async (graceMs) => {
      paused = false;
      draining = true;
      wake();
      await Promise.race([looping, clock.sleep(graceMs)]);
      stopped.abort();
      wake();
    },
  };
}

/** A call that this program cannot cope with must not stop the others, nor come again for ever. */
function endOfBug(error: unknown): CallEnd {
  if (error instanceof JournalError) throw error;
  const detail = error instanceof Error ? error.name : 'unknown';
  return { kind: 'settled', settlement: { kind: 'dead', reason: 'internal_error', detail } };
}

/** Milliseconds; a bound on what a clock that was set back can cost. */
const longestRest = 60_000;
