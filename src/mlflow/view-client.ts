import { createAsk } from './ask.ts';
import type { ClientOptions } from './client.ts';
import { parsed } from './json-answer.ts';
import { mapDone, type Outcome } from './outcome.ts';
import { cut, text } from './serialize.ts';
import type { Send } from './transport.ts';

/** What of MLflow's API keeps views of its pages. */
export interface ViewClient {
  /** Sets a tag of an experiment, 5,000 characters at the most. Safe to send again. */
  tagExperiment(id: string, tag: readonly [name: string, value: string]): Promise<Outcome<void>>;
}

const longestValue = 5_000;

export function createViewClient(send: Send, options: ClientOptions): ViewClient {
  const ask = createAsk(send, options);
  return {
    tagExperiment: async (id, [name, value]) => {
      const body = {
        experiment_id: text(id),
        key: text(name),
        value: cut(text(value), longestValue),
      };
      const done = await ask(
        {
          name: 'experiments/set-experiment-tag',
          method: 'POST',
          path: '/api/2.0/mlflow/experiments/set-experiment-tag',
          contentType: 'application/json',
          body: JSON.stringify(body),
        },
        (answer) => {
          const value = parsed(answer);
          return typeof value === 'object' && value !== null ? value : undefined;
        },
      );
      return mapDone(done, () => undefined);
    },
  };
}
