import { classify } from './classify.ts';
import type { ClientOptions } from './client.ts';
import type { Outcome } from './outcome.ts';
import type { MlflowRequest, Send } from './transport.ts';

/** Sends a request, and says what became of it; it never throws. */
export type Ask = <T>(
  request: MlflowRequest,
  from: (answer: string) => T | undefined,
  otherwise?: Outcome<T>,
) => Promise<Outcome<T>>;

export const notOurs = "a 2xx answer without MLflow's fields";

/**
 * A 2xx that is not of MLflow's shape comes from something else, a login page for instance: what
 * `from` makes nothing of is no answer of MLflow's.
 */
export function createAsk(send: Send, { now, onOutcome }: ClientOptions): Ask {
  return async (
    request,
    from,
    otherwise = { kind: 'hold', reason: 'not_mlflow', detail: notOurs },
  ) => {
    const start = now();
    const answer = await send(request);
    const answered = classify(request, answer, now());
    const outcome = answered.kind === 'done' ? (read(from(answered.value)) ?? otherwise) : answered;
    if (answer.kind !== 'held') onOutcome(request.name, outcome.kind, now() - start);
    return outcome;
  };
}

function read<T>(value: T | undefined): Outcome<T> | undefined {
  return value === undefined ? undefined : { kind: 'done', value };
}
