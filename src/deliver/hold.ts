import type { Outcome } from '../mlflow/outcome.ts';
import type { RequestName } from '../mlflow/transport.ts';
import { type Backoff, fullJitter } from './backoff.ts';
import type { Clock } from './clock.ts';

export type HoldOutcome = Extract<Outcome<never>, { kind: 'hold' }>;

/** What a destination is like for those who look. */
export type DestinationState =
  | { state: 'open' }
  | { state: 'held'; reason: string; detail: string; since: number; probeAt: number };

/**
 * Whether a destination takes requests.
 *
 *     open ──refused, or failed `failuresToHold` times running──▶ held until `probeAt`
 *     held ──`probeAt` has come: one call may try──▶ an answer opens it, a refusal holds it longer
 *
 * Where one kind of request was refused, only an answer to such a one opens it, or a call that came
 * through whole: what comes before the refused request is answered each time.
 *
 * The waits double up to a minute, with jitter; a server's `Retry-After` is the least of them.
 */
export interface Hold {
  /** How many calls may be under way: all, one as a probe, or none. */
  allows(): 'all' | 'probe' | 'none';
  state(): DestinationState;
  /** Such a request was answered as it should be; without a name, all that a call or a probe needs. */
  succeeded(request?: RequestName): void;
  /** The destination refuses. */
  refused(outcome: HoldOutcome): void;
  /** A request failed in a way that says nothing of the destination, unless all of them do. */
  failed(reason: string): void;
}

export interface HoldOptions {
  clock: Clock;
  random: () => number;
  /** Called once an episode when it begins, and once when it ends. */
  onChange: (state: DestinationState) => void;
}

const waits: Backoff = { first: 1_000, longest: 60_000 };
const failuresToHold = 8;

interface Refusal extends Pick<HoldOutcome, 'detail' | 'afterMs' | 'suspect'> {
  reason: string;
}

export function createHold({ clock, random, onChange }: HoldOptions): Hold {
  let state: DestinationState = { state: 'open' };
  let refusals = 0;
  let failures = 0;
  /** The kind of request that was refused last, where it may be that kind alone. */
  let refusedRequest: RequestName | undefined;

  /** A clock that stands before the hold's beginning was set back, and tells nothing. */
  const isWaiting = (): boolean => {
    const now = clock.now();
    return state.state === 'held' && now >= state.since && now < state.probeAt;
  };

  const hold = ({ reason, detail, afterMs = 0, suspect }: Refusal) => {
    const now = clock.now();
    // Requests that were under way when the hold began prove nothing new.
    if (isWaiting()) return;
    // Half the bound for certain, half of it by chance: a probe at once would be no hold.
    const wait = waits.first / 2 + fullJitter(waits, refusals, random);
    const probeAt = now + Math.max(wait, afterMs);
    const before = state;
    const since = before.state === 'held' ? Math.min(before.since, now) : now;
    refusals += 1;
    refusedRequest = suspect;
    state = { state: 'held', reason, detail, since, probeAt };
    if (before.state === 'open' || before.reason !== reason) onChange(state);
  };

  return {
    allows: () => {
      if (state.state === 'open') return 'all';
      return isWaiting() ? 'none' : 'probe';
    },
    state: () => state,
    succeeded: (request) => {
      // Sent before the hold began, it does not take the refusal back.
      if (isWaiting()) return;
      if (request !== undefined && (refusedRequest ?? request) !== request) return;
      refusedRequest = undefined;
      refusals = 0;
      failures = 0;
      if (state.state === 'open') return;
      state = { state: 'open' };
      onChange(state);
    },
    refused: (outcome) => {
      if (outcome.reason === 'held') return;
      hold(outcome);
    },
    failed: (reason) => {
      failures += 1;
      if (failures >= failuresToHold) hold({ reason: 'failing', detail: reason });
    },
  };
}
