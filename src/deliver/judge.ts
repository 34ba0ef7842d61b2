import type { Outcome } from '../mlflow/outcome.ts';
import type { RequestName } from '../mlflow/transport.ts';
import type { Attempt } from './attempt.ts';
import type { CallEnd } from './call-end.ts';

/** Failures over one call after which that call is given up, while others pass. */
const mostFailures = 8;

/** A run or experiment that a person deleted is not made again. */
export const deletedByAPerson: CallEnd = {
  kind: 'settled',
  settlement: { kind: 'shed', reason: 'deleted' },
};

export const recorded: CallEnd = { kind: 'settled', settlement: { kind: 'recorded' } };

type Rejection = Extract<Outcome<never>, { kind: 'reject' }>;

/**
 * What an outcome that is not `done` means for the call, or for the calls that a run stands for.
 *
 * @param dueAt When to try again after an unclear answer, in Unix milliseconds; after a backoff
 *   where it is absent.
 */
export function judge(
  attempt: Attempt,
  outcome: Exclude<Outcome<unknown>, { kind: 'done' }>,
  dueAt?: number,
): CallEnd {
  switch (outcome.kind) {
    case 'hold':
      if (outcome.suspect && isAtFault(attempt, outcome.suspect)) {
        return dead('refused', outcome.detail);
      }
      return { kind: 'held', by: 'mlflow', outcome, progress: attempt.progress };
    case 'reject':
      return rejected(attempt, outcome);
    case 'retry':
    case 'ambiguous': {
      attempt.parts.holds.mlflow.failed(outcome.reason);
      if (outcome.suspect && isAtFault(attempt, outcome.suspect)) {
        return dead('server_error', outcome.reason);
      }
      const afterMs = outcome.kind === 'retry' ? outcome.afterMs : undefined;
      return dueAt === undefined
        ? attempt.failed(afterMs)
        : attempt.later(dueAt, attempt.run.attempts + 1);
    }
  }
}

function rejected(attempt: Attempt, { reason, answer }: Rejection): CallEnd {
  const { isOfMany } = attempt.run;
  const { runId, destination } = attempt.progress;
  if (reason === 'invalid' || reason === 'exists') {
    if (!isOfMany) return dead('rejected', answer);
    const request = runId === undefined ? 'runs/create' : 'runs/update';
    return isAtFault(attempt, request) ? dead('rejected', answer) : attempt.failed();
  }
  if (!isOfMany || reason === 'deleted') return deletedByAPerson;
  attempt.parts.experiments.forget();
  attempt.progress = { destination };
  return attempt.failed();
}

/**
 * Counts a failure, and says whether the call itself is at fault: the same request has succeeded for
 * other calls between its failures, and that again and again.
 */
export function isAtFault(attempt: Attempt, request: RequestName): boolean {
  const { clock, successes } = attempt.parts;
  const before = attempt.progress.failures;
  const same = before?.request === request ? before : undefined;
  const othersPass = same !== undefined && successes.lastAt(request) > same.lastAt;
  const times = same === undefined ? 1 : same.times + (othersPass ? 1 : 0);
  attempt.progress = { ...attempt.progress, failures: { request, lastAt: clock.now(), times } };
  return times >= mostFailures;
}

/** It cannot be recorded; `detail` may quote a value of the call. */
export function dead(reason: string, detail: string): CallEnd {
  return { kind: 'settled', settlement: { kind: 'dead', reason, detail } };
}
