import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callExperiments } from '../../src/cli/call-experiments.ts';
import { createPruneClient } from '../../src/mlflow/prune-client.ts';
import { createSearchClient } from '../../src/mlflow/search-client.ts';
import type { Answer, MlflowRequest } from '../../src/mlflow/transport.ts';

const told = { now: () => 0, onOutcome: () => {} };

/** A transport that gives these answers, and what was sent through it. */
function answering(...answers: readonly (object | number)[]) {
  const left = [...answers];
  const bodies: Record<string, unknown>[] = [];
  const send = async ({ body }: MlflowRequest): Promise<Answer> => {
    bodies.push(JSON.parse(String(body)));
    const next = left.shift() ?? {};
    return typeof next === 'number'
      ? { kind: 'answer', status: next, text: '<html>' }
      : { kind: 'answer', status: 200, text: JSON.stringify(next) };
  };
  return { send, bodies };
}

test('runs are searched page by page, and read without trust', async () => {
  const { send, bodies } = answering(
    {
      runs: [
        {
          info: { run_id: 'r1', run_name: 'n', start_time: '1800000000000' },
          data: { tags: [{ key: 'a', value: 'b' }] },
        },
        { info: {} },
      ],
      next_page_token: 'more',
    },
    {},
  );
  const search = {
    filter: 'attributes.start_time < 5',
    orderBy: 'attributes.start_time ASC',
    most: 7,
  };
  const { runs } = createSearchClient(send, told);
  const first = await runs(['1'], search);
  const found = { id: 'r1', name: 'n', startTime: 1_800_000_000_000, tags: new Map([['a', 'b']]) };
  assert.deepEqual(first, { kind: 'done', value: { items: [found], next: 'more' } });
  assert.deepEqual(await runs(['1'], search, 'more'), { kind: 'done', value: { items: [] } });
  assert.deepEqual(bodies[1], {
    ...{ experiment_ids: ['1'], filter: search.filter, run_view_type: 'ACTIVE_ONLY' },
    ...{ max_results: 7, order_by: [search.orderBy], page_token: 'more' },
  });
});

test('a server without the search of traces is told from one that is no MLflow', async () => {
  const { traces } = createSearchClient(answering(404, 200).send, told);
  assert.partialDeepStrictEqual(await traces('1', ''), { kind: 'hold', reason: 'unsupported' });
});

test('no request to delete traces means all there are', async () => {
  const { send, bodies } = answering({ traces_deleted: 2 }, {});
  const { deleteTraces } = createPruneClient(send, told);
  assert.deepEqual(await deleteTraces('1', ['tr-1', 'tr-2']), { kind: 'done', value: 2 });
  assert.deepEqual(await deleteTraces('1', []), { kind: 'done', value: 0 });
  assert.deepEqual(bodies, [
    { experiment_id: '1', request_ids: ['tr-1', 'tr-2'] },
    { experiment_id: '1', request_ids: ['tr-none'] },
  ]);
});

test('the experiments of a template are those whose names it may have made', async () => {
  const names = ['/l.m/a', '/l.m/usage', '/l.m/calls', '/l.m/a-x', '/lxm/a', '/l.m'];
  const experiments = names.map((name, index) => ({ experiment_id: String(index), name }));
  const { send, bodies } = answering(
    { experiments: experiments.slice(0, 3), next_page_token: 'p' },
    { experiments: experiments.slice(3) },
  );
  const never = { findExperiment: () => assert.fail('it is no name') };
  const found = await callExperiments('/l.m/{team_id}', never, createSearchClient(send, told));
  assert.deepEqual(found, {
    kind: 'done',
    value: [
      { id: '0', name: '/l.m/a' },
      { id: '3', name: '/l.m/a-x' },
    ],
  });
  assert.deepEqual(
    bodies.map(({ filter, page_token }) => [filter, page_token]),
    [
      ["name LIKE '/l.m/%'", undefined],
      ["name LIKE '/l.m/%'", 'p'],
    ],
  );
});

test('an experiment that is absent or deleted is none', async () => {
  const { experiments } = createSearchClient(answering().send, told);
  const missing = { kind: 'reject', reason: 'missing', answer: '' } as const;
  const deleted = { kind: 'done', value: { id: '4', deleted: true } } as const;
  for (const outcome of [missing, deleted]) {
    const mlflow = { findExperiment: async () => outcome };
    const found = await callExperiments('/llm', mlflow, { experiments });
    assert.deepEqual(found, { kind: 'done', value: [] });
  }
});
