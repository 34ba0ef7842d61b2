import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createExperiments } from '../../src/deliver/experiments.ts';
import { createMlflowClient } from '../../src/mlflow/client.ts';
import { createHttpTransport } from '../../src/mlflow/http-transport.ts';
import { startMinimalMlflow } from '../support/minimal-mlflow.ts';

test('a server that forgot one experiment is asked for all of them again', async (t) => {
  const mlflow = await startMinimalMlflow(t);
  const url = new URL(mlflow.url);
  const transport = createHttpTransport({ url, timeoutMs: () => 5_000, connections: 2 });
  t.after(() => transport.close());
  const client = createMlflowClient(transport.send, { now: Date.now, onOutcome: () => undefined });
  const experiments = createExperiments(client);
  assert.deepEqual(await experiments.idOf('/a'), { kind: 'done', value: '1' });
  assert.deepEqual(await experiments.idOf('/b'), { kind: 'done', value: '2' });
  // An empty server in its place, which gives the number of the one to the other.
  mlflow.experiments.clear();
  experiments.forget();
  assert.deepEqual(await experiments.idOf('/b'), { kind: 'done', value: '1' });
  assert.deepEqual(await experiments.idOf('/a'), { kind: 'done', value: '2' });
});
