import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { hostileBody } from '../support/hostile-events.ts';
import { type MlflowRun, mlflowReader } from '../support/mlflow-reader.ts';
import { type MlflowServer, startMlflow } from '../support/mlflow-server.ts';
import { type Postgres, startPostgres } from '../support/postgres.ts';
import { assertAnyCallReadsBack } from '../support/read-back.ts';
import { waitUntil } from '../support/wait-until.ts';
import { firstOf, mlflowState, startStage } from './stage.ts';

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

  // The one that takes longest comes first, so that all others run beside it.
  it('that runs out of connections to its database gives each call one run', async (t) => {
    const poor = await startMlflow({
      backendStoreUri: postgres.uri,
      // A create and a batch need two at once; MLflow waits 30 s for the second.
      environment: {
        MLFLOW_SQLALCHEMYSTORE_POOL_SIZE: '1',
        MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW: '1',
      },
    });
    t.after(() => poor.close());
    const { proxy, post, assertRecorded } = await startStage(t, { mlflow: poor, timeout: '40s' });
    let exhausted = 0;
    proxy.hook({
      acted: async ({ status }, answer) => {
        if (status === 400 && answer.includes('QueuePool limit')) exhausted += 1;
      },
    });
    await post(1, 3);
    await assertRecorded(3, 300_000);
    assert.ok(exhausted > 0, 'the pool was exhausted');
  });

  it('any call that can be made reads back as it was', async () => {
    await assertAnyCallReadsBack(mlflow.url, 200);
  });

  it('that is stopped, killed and started again under load has one run a call', {
    timeout: 350_000,
  }, async (t) => {
    const database = await startPostgres();
    t.after(() => database.close());
    const own = await startMlflow({ backendStoreUri: database.uri });
    t.after(() => own.close());
    const { proxy, sidecar, post, runs, assertRecorded } = await startStage(t, { mlflow: own });
    const more = async (count: number) => {
      const before = (await runs()).length;
      const made = async () => ((await runs()).length >= before + count ? true : undefined);
      await waitUntil(made, { what: `${count} more runs`, withinMs: 90_000 });
    };
    const refuses = () =>
      waitUntil(async () => ((await mlflowState(sidecar)).state === 'held' ? true : undefined), {
        what: 'MLflow to be held',
        withinMs: 60_000,
      });
    await post(1, 100);
    await more(10);
    await database.kill();
    await refuses();
    await post(101, 120);
    await database.start();
    await more(20);
    await database.stop();
    await refuses();
    await database.start();
    await more(20);
    await own.restart();
    await assertRecorded(120, 200_000);
    const failed = proxy.requests.filter(({ status }) => status === 503);
    assert.ok(failed.length > 0, 'MLflow has passed on that its database was away');
  });

  it('takes every call of hostile content, whatever its experiment is called', async (t) => {
    const { sidecar, metric } = await startStage(t, {
      mlflow,
      timeout: '20s',
      experiment: '/hostile {team_alias}',
    });
    const calls = 120;
    const response = await fetch(sidecar.eventsUrl, { method: 'POST', body: hostileBody(calls) });
    assert.equal(response.status, 200);
    await sidecar.drained(120_000);
    assert.equal(await metric('calls_recorded_total'), calls);
    assert.equal(await metric('calls_dead_total'), 0);
    assert.equal(await metric('account_adds_up'), 1);
    const reader = mlflowReader(mlflow.url);
    const names = await reader.experimentNames();
    const runs: MlflowRun[] = [];
    for (const name of names) {
      if (name.startsWith('/hostile ')) runs.push(...(await reader.runs(name, 'ALL')));
    }
    assert.deepEqual(
      runs.map(({ tags }) => tags['request_id']).sort(),
      Array.from({ length: calls }, (_, index) => `call-${index + 1}`).sort(),
    );
    assert.deepEqual(
      runs.filter(({ status }) => status === 'RUNNING'),
      [],
    );
  });

  it('is given an experiment once by two sidecars that make it at the same time', async (t) => {
    const stages = await Promise.all([startStage(t, { mlflow }), startStage(t, { mlflow })]);
    const sought = meeting(stages.length);
    const making = meeting(stages.length);
    for (const { proxy } of stages) {
      proxy.hook({
        acted: async ({ name }) => {
          if (name === 'experiments/get-by-name') await sought();
        },
        arrived: async ({ name }) => {
          if (name === 'experiments/create') await making();
          return undefined;
        },
      });
    }
    await Promise.all(stages.map(({ post }, index) => post(20 * index + 1, 20 * index + 20)));
    for (const { sidecar } of stages) await sidecar.drained(60_000);
    const creates = stages.flatMap(({ proxy }) => proxy.named('experiments/create'));
    assert.deepEqual(creates.map(({ status }) => status).sort(), [200, 400]);
    for (const { metric } of stages) {
      assert.equal(await metric('calls_recorded_total'), 20);
      assert.equal(await metric('account_adds_up'), 1);
    }
    const ids = (await stages[0]?.runs())?.map(({ tags }) => tags['request_id']);
    assert.equal(new Set(ids).size, 40);
    assert.equal(ids?.length, 40);
  });

  it('whose answer to a create was lost has one run for it', async (t) => {
    const { proxy, post, assertRecorded } = await startStage(t, { mlflow });
    proxy.harm(firstOf('runs/create', 2, { kind: 'lose_answer' }));
    await post(1, 4);
    await assertRecorded(4);
    assert.equal(proxy.named('runs/create').length, 4);
  });

  for (const name of ['runs/log-batch', 'runs/update']) {
    it(`that acts twice on ${name} at the same time records the call once`, async (t) => {
      const { proxy, post, assertRecorded } = await startStage(t, {
        mlflow,
        timeout: '1s',
      });
      const sentAgain = meeting(2);
      proxy.harm(firstOf(name, 1, { kind: 'act_late', until: sentAgain }));
      proxy.hook({
        arrived: async ({ name: arrived, fault }) => {
          if (arrived === name && fault === undefined) await sentAgain();
          return undefined;
        },
      });
      await post(1, 1);
      await assertRecorded(1);
      // Where both insert the same rows, the later of the two may be answered with 400.
      const statuses = proxy.named(name).map(({ status }) => status);
      assert.ok(statuses.length >= 2 && statuses.includes(200), String(statuses));
      assert.ok(
        statuses.every((status) => status === 200 || status === 400),
        String(statuses),
      );
    });
  }
});

/** Resolves for each who comes when `count` have come, and at once for all who come later. */
function meeting(count: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let come = 0;
  return () => {
    come += 1;
    if (come >= count) resolve();
    return promise;
  };
}
