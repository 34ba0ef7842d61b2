import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMlflowClient } from '../../src/mlflow/client.ts';
import type { Answer } from '../../src/mlflow/transport.ts';

function clientOf(answer: Answer) {
  const told: string[] = [];
  const client = createMlflowClient(async () => answer, {
    now: () => 0,
    onOutcome: (request, outcome) => told.push(`${request} ${outcome}`),
  });
  return { client, told };
}

test('a page that answers 200 in the place of MLflow is no success of any request', async () => {
  const { client, told } = clientOf({ kind: 'answer', status: 200, text: '<html>Log in</html>' });
  const run = { name: 'r', startTime: 1, tags: [] };
  const outcomes = [
    await client.findExperiment('e'),
    await client.createExperiment('e'),
    await client.logBatch('r', { params: [], metrics: [], tags: [] }),
    await client.updateRun('r', { status: 'FINISHED', endTime: 1 }),
    await client.deleteRun('r'),
    await client.findRuns('1', ['a', 'b'], 1),
    await client.putProxiedArtifact(
      'mlflow-artifacts:/1/r/artifacts',
      'call.json',
      new Uint8Array(),
    ),
  ];
  for (const outcome of outcomes) {
    assert.ok(outcome?.kind === 'hold' && outcome.reason === 'not_mlflow');
  }
  // A create may have made a run all the same.
  assert.equal((await client.createRun('1', run)).kind, 'ambiguous');
  assert.deepEqual(
    told.filter((line) => line.endsWith('done')),
    [],
  );
});

test('an empty object is MLflow’s answer where it has nothing to say', async () => {
  const { client, told } = clientOf({ kind: 'answer', status: 200, text: '{}' });
  await client.logBatch('r', { params: [], metrics: [], tags: [] });
  const found = await client.findRuns('1', ['a', 'b'], 1);
  assert.deepEqual(found, { kind: 'done', value: [] });
  assert.deepEqual(told, ['runs/log-batch done', 'runs/search done']);
});

test('a request that was not sent is not counted as one', async () => {
  const { client, told } = clientOf({ kind: 'held' });
  const outcome = await client.updateRun('r', { status: 'FINISHED', endTime: 1 });
  assert.ok(outcome.kind === 'hold' && outcome.reason === 'held');
  assert.deepEqual(told, []);
});
