import { test } from 'node:test';
import { startFront, startSuiteMlflow } from '../support/front.ts';
import { assertAnyCallReadsBack } from '../support/read-back.ts';

test('any call that can be made reads back from a real MLflow as it was', {
  timeout: 240_000,
}, async (t) => {
  const mlflow = await startSuiteMlflow();
  t.after(() => mlflow.close());
  const { way, close } = await startFront(mlflow);
  t.after(close);
  await assertAnyCallReadsBack(mlflow.url, 200, way);
});
