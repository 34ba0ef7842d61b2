import { type Backoff, fullJitter } from '../../deliver/backoff.ts';
import type { Clock } from '../../deliver/clock.ts';
import type { Outcome } from '../../mlflow/outcome.ts';

/** How often a request is tried that MLflow fails over, or refuses for the rate. */
const mostTries = 5;
const waits: Backoff = { first: 1_000, longest: 30_000 };

/**
 * Asks again where MLflow failed, was busy or did not answer; only for requests that are safe to send
 * again. The last outcome is the answer.
 */
export async function patiently<T>(
  ask: () => Promise<Outcome<T>>,
  clock: Clock,
  over: AbortSignal,
): Promise<Outcome<T>> {
  for (let tries = 1; ; tries += 1) {
    const outcome = await ask();
    if (tries === mostTries || over.aborted || !passes(outcome)) return outcome;
    const told = 'afterMs' in outcome ? (outcome.afterMs ?? 0) : 0;
    await clock.sleep(Math.max(told, fullJitter(waits, tries - 1, Math.random)), over);
  }
}

function passes(outcome: Outcome<unknown>): boolean {
  switch (outcome.kind) {
    case 'retry':
    case 'ambiguous':
      return true;
    case 'hold':
      return ['throttled', 'unavailable', 'unreachable'].includes(outcome.reason);
    case 'done':
    case 'reject':
      return false;
  }
}
