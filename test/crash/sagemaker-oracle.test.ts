import { test } from 'node:test';
import { startManagedMlflow } from '../support/sagemaker-stack.ts';
import { runOracle } from './oracle-run.ts';

const kills = Number(process.env['CRASH_KILLS'] ?? 11);
const seed = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);

test('through the edge of SageMaker, too, every acknowledged call has exactly one run, its files in S3', {
  timeout: 400_000 + kills * 10_000,
}, async (t) => {
  const mlflow = await startManagedMlflow();
  t.after(() => mlflow.close());
  await runOracle(t, { mlflow, kills, seed });
});
