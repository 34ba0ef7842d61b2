import { createAsk } from '../../mlflow/ask.ts';
import { member, parsed, textMember } from '../../mlflow/json-answer.ts';
import type { Outcome } from '../../mlflow/outcome.ts';
import type { OpenMlflow } from '../with-mlflow.ts';

/** A run with what is in it. */
export interface ReadRun {
  id: string;
  experimentId: string;
  /** `FINISHED` or `FAILED`: nothing more comes. */
  complete: boolean;
  metrics: ReadonlyMap<string, number>;
  tags: ReadonlyMap<string, string>;
}

/** What is read back from MLflow. None of it throws. */
export interface RunReader {
  /** Ids of the experiments that a name, or a template with placeholders, may stand for. */
  experiments(name: string): Promise<Outcome<string[]>>;
  /** The run with this tag, if there is one by now. */
  find(
    experimentIds: readonly string[],
    tag: readonly [name: string, value: string],
  ): Promise<Outcome<ReadRun | undefined>>;
}

/** MLflow's answers are lists of objects with `key` and `value`. */
function pairsIn(value: unknown): [string, unknown][] {
  return (Array.isArray(value) ? value : []).map((one) => [
    String(member(one, 'key')),
    member(one, 'value'),
  ]);
}

export function createRunReader({ send, told }: Pick<OpenMlflow, 'send' | 'told'>): RunReader {
  const ask = createAsk(send, told);
  const post = <T>(path: string, body: object, from: (answer: unknown) => T | undefined) =>
    ask<T>(
      {
        name: 'runs/search',
        method: 'POST',
        path: `/api/2.0/mlflow/${path}`,
        contentType: 'application/json',
        body: JSON.stringify(body),
      },
      (answer) => from(parsed(answer)),
    );

  return {
    experiments: async (name) => {
      const literal = name.replace(/\{.*$/s, '');
      if (literal !== name) {
        const filter = `name LIKE '${literal.replaceAll(/['%_]/g, '_')}%'`;
        return post('experiments/search', { filter, max_results: 500 }, (answer) =>
          listIn(answer, 'experiments')?.map((one) => String(member(one, 'experiment_id'))),
        );
      }
      const query = new URLSearchParams({ experiment_name: name });
      const found = await ask(
        {
          name: 'experiments/get-by-name',
          method: 'GET',
          path: `/api/2.0/mlflow/experiments/get-by-name?${query}`,
        },
        (answer) => textMember(member(parsed(answer), 'experiment'), 'experiment_id'),
      );
      if (found.kind === 'done') return { kind: 'done', value: [found.value] };
      // It is made with the first run.
      const isToCome = found.kind === 'reject' && found.reason === 'missing';
      return isToCome ? { kind: 'done', value: [] } : found;
    },
    find: async (experimentIds, [name, value]) => {
      if (experimentIds.length === 0) return { kind: 'done', value: undefined };
      const filter = `tags.\`${name}\` = '${value.replaceAll("'", '')}'`;
      const body = { experiment_ids: experimentIds, filter, max_results: 1 };
      const found = await post('runs/search', body, (answer) => listIn(answer, 'runs')?.map(runIn));
      return found.kind === 'done' ? { kind: 'done', value: found.value[0] } : found;
    },
  };
}

/** A list of none is left out of an answer. */
function listIn(answer: unknown, name: string): unknown[] | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined;
  const list = member(answer, name) ?? [];
  return Array.isArray(list) ? list : undefined;
}

function runIn(run: unknown): ReadRun {
  const [info, data] = [member(run, 'info'), member(run, 'data')];
  return {
    id: String(member(info, 'run_id')),
    experimentId: String(member(info, 'experiment_id')),
    complete: /^(FINISHED|FAILED)$/.test(String(member(info, 'status'))),
    metrics: new Map(pairsIn(member(data, 'metrics')).map(([key, of]) => [key, Number(of)])),
    tags: new Map(pairsIn(member(data, 'tags')).map(([key, of]) => [key, String(of)])),
  };
}
