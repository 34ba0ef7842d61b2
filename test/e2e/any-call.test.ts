import { test } from 'node:test';
import { startMlflow } from '../support/mlflow-server.ts';
import { assertAnyCallReadsBack } from '../support/read-back.ts';

test('any call that can be made reads back from a real MLflow as it was', {
  timeout: 240_000,
}, async (t) => {
  const mlflow = await startMlflow();
  t.after(() => mlflow.close());
  await assertAnyCallReadsBack(mlflow.url, 200);
});
