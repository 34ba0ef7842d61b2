import { test } from 'node:test';
import { startMlflow } from '../support/mlflow-server.ts';
import { startPostgres } from '../support/postgres.ts';
import { runOracle } from './oracle-run.ts';

const kills = 11;
const seed = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);

test('on PostgreSQL, too, every acknowledged call has exactly one run, also when the database is killed', {
  timeout: 400_000,
}, async (t) => {
  const postgres = await startPostgres();
  t.after(() => postgres.close());
  const mlflow = await startMlflow({ backendStoreUri: postgres.uri });
  t.after(() => mlflow.close());
  const disturb = async (round: number) => {
    if (round % 4 !== 2) return;
    await postgres.kill();
    await postgres.start();
  };
  await runOracle(t, { mlflow, kills, seed, disturb });
});
