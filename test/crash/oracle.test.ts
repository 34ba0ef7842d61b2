import { test } from 'node:test';
import { startMlflow } from '../support/mlflow-server.ts';
import { runOracle } from './oracle-run.ts';

/*
 * CRASH_KILLS: how often the sidecar is killed. CRASH_SEED: what chance chooses, as an earlier run
 * printed it; the moments of two processes are not in its hand.
 */
const kills = Number(process.env['CRASH_KILLS'] ?? 15);
const seed = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);

test('every acknowledged call has exactly one finished run with its content, whatever is killed and fails', {
  timeout: 280_000 + kills * 10_000,
}, async (t) => {
  const mlflow = await startMlflow();
  t.after(() => mlflow.close());
  await runOracle(t, { mlflow, kills, seed });
});
