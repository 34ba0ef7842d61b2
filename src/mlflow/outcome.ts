import type { RequestName } from './transport.ts';

/**
 * What became of a request. `hold` and `retry` differ in whose fault it is: a held destination
 * stops everything, a retried call only itself. `suspect` names a request that the server failed over
 * or refused by itself: when it keeps doing so while it does the same for other calls, the call is at
 * fault.
 */
export type Outcome<T> =
  | { kind: 'done'; value: T }
  /** The call may try again; `afterMs` where the server said when. */
  | { kind: 'retry'; reason: string; afterMs?: number; suspect?: RequestName }
  /** The request was sent and may have taken effect; no answer says so. */
  | { kind: 'ambiguous'; reason: string; suspect?: RequestName }
  /** This request is unacceptable, and will be the next time. */
  | { kind: 'reject'; reason: RejectReason; answer: string }
  /** The destination takes nothing for now. */
  | {
      kind: 'hold';
      reason: HoldReason;
      detail: string;
      afterMs?: number;
      suspect?: RequestName;
    };

/**
 * `missing`: what it names is not there. `deleted`: it is there, but deleted. `exists`: there is
 * one of that name already. `invalid`: everything else that a server may dislike in a request.
 */
export type RejectReason = 'missing' | 'deleted' | 'exists' | 'invalid';

export type HoldReason =
  /** Not sent: the destination is held already, for another reason. */
  | 'held'
  | 'unreachable'
  | 'no_credentials'
  | 'no_such_server'
  | 'no_such_bucket'
  | 'unauthorized'
  | 'forbidden'
  | 'host_not_allowed'
  | 'not_mlflow'
  | 'throttled'
  | 'unavailable'
  | 'unsupported';

/** The same outcome with another value. */
export function mapDone<A, B>(outcome: Outcome<A>, value: (from: A) => B): Outcome<B> {
  return outcome.kind === 'done' ? { kind: 'done', value: value(outcome.value) } : outcome;
}
