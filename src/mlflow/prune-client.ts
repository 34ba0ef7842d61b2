import { createAsk } from './ask.ts';
import type { ClientOptions } from './client.ts';
import { member, parsed } from './json-answer.ts';
import type { Outcome } from './outcome.ts';
import { text } from './serialize.ts';
import type { Send } from './transport.ts';

/** What of MLflow's API removes for good; runs, which are deleted softly, are with the rest. */
export interface PruneClient {
  /**
   * Deletes traces with all that is kept of them in the database; how many there were. Safe to send
   * again.
   *
   * @param ids As MLflow has them, 100 at the most.
   */
  deleteTraces(experimentId: string, ids: readonly string[]): Promise<Outcome<number>>;
}

/** So many traces are deleted at once: MLflow does it in one transaction, spans and tags included. */
export const tracesDeletedAtOnce = 100;

export function createPruneClient(send: Send, options: ClientOptions): PruneClient {
  const ask = createAsk(send, options);
  return {
    deleteTraces: (experimentId, ids) =>
      ask(
        {
          name: 'traces/delete-traces',
          method: 'POST',
          path: '/api/2.0/mlflow/traces/delete-traces',
          contentType: 'application/json',
          // Without ids the request would mean all traces there are.
          body: JSON.stringify({
            experiment_id: text(experimentId),
            request_ids: ids.length === 0 ? ['tr-none'] : ids.map(text),
          }),
        },
        (answer) => {
          const value = parsed(answer);
          if (typeof value !== 'object' || value === null) return undefined;
          const deleted = Number(member(value, 'traces_deleted') ?? 0);
          return Number.isSafeInteger(deleted) ? deleted : undefined;
        },
      ),
  };
}
