import { after, before, describe, it } from 'node:test';
import { type MlflowServer, startMlflow } from '../support/mlflow-server.ts';
import { type Postgres, startPostgres } from '../support/postgres.ts';
import { assertAnyCallReadsBack } from '../support/read-back.ts';

describe('MLflow on PostgreSQL', { concurrency: 4, timeout: 400_000 }, () => {
  let postgres: Postgres;
  let mlflow: MlflowServer;
  before(async () => {
    postgres = await startPostgres();
    mlflow = await startMlflow({ backendStoreUri: postgres.uri });
  });
  after(async () => {
    await mlflow.close();
    await postgres.close();
  });

  it('any call that can be made reads back as it was', async () => {
    await assertAnyCallReadsBack(mlflow.url, 200);
  });
});
