import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { type SuiteMlflow, startSuiteMlflow } from '../support/front.ts';
import { mlflowReader } from '../support/mlflow-reader.ts';
import { waitUntil } from '../support/wait-until.ts';
import { startStage } from './stage.ts';

describe('what disappears under way', { concurrency: 4, timeout: 200_000 }, () => {
  let mlflow: SuiteMlflow;
  before(async () => {
    mlflow = await startSuiteMlflow();
  });
  after(() => mlflow.close());

  const tell = async (request: string, body: object): Promise<void> => {
    const response = await fetch(`${mlflow.url}/api/2.0/mlflow/${request}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    assert.equal(response.status, 200);
  };

  for (const after of ['runs/create', 'runs/log-batch', 'artifacts/put']) {
    it(`a run that a person deleted after ${after} is not made again`, async (t) => {
      const { proxy, sidecar, post, runs, metric } = await startStage(t, { mlflow });
      const deleted = afterFirst(proxy, after, async () => {
        const [run] = await runs();
        await tell('runs/delete', { run_id: run?.runId });
      });
      await post(1, 1);
      await deleted();
      await post(2, 4);
      await sidecar.drained(60_000);
      const ends = (await runs()).map(({ status, lifecycle }) => `${lifecycle} ${status}`).sort();
      assert.deepEqual(ends, [...Array(3).fill('active FINISHED'), 'deleted RUNNING']);
      assert.equal(await metric('calls_shed_total{reason="deleted"}'), 1);
      assert.equal(await metric('account_adds_up'), 1);
    });
  }

  it('an experiment that a person deleted is not made again, and its calls are counted', async (t) => {
    const { proxy, sidecar, experiment, post, runs, metric } = await startStage(t, {
      mlflow,
    });
    await post(1, 2);
    await sidecar.drained();
    const deleted = afterFirst(proxy, 'runs/create', async () => {
      const found = await mlflowReader(mlflow.url).experiment(experiment);
      await tell('experiments/delete', { experiment_id: found?.id });
    });
    await post(3, 3);
    await deleted();
    await sidecar.drained(60_000);
    await post(4, 5);
    await sidecar.drained(60_000);
    assert.equal(await metric('calls_recorded_total'), 2);
    assert.equal(await metric('calls_shed_total{reason="deleted"}'), 3);
    assert.equal(await metric('account_adds_up'), 1);
    assert.equal((await mlflowReader(mlflow.url).experiment(experiment))?.lifecycle, 'deleted');
    assert.equal((await runs()).filter(({ status }) => status === 'FINISHED').length, 2);

    // It is restored for a sidecar that has never seen it alive.
    await sidecar.restart();
    await post(6, 6);
    await sidecar.drained();
    assert.equal((await mlflowReader(mlflow.url).experiment(experiment))?.lifecycle, 'active');
    assert.equal(await metric('calls_recorded_total'), 3);
  });

  it('a server that is restarted under way has one run a call', { timeout: 200_000 }, async (t) => {
    const own = await startSuiteMlflow();
    t.after(() => own.close());
    const { sidecar, post, runs, assertRecorded } = await startStage(t, {
      mlflow: own,
      withoutProxy: true,
    });
    await post(1, 60);
    const some = async () => ((await runs()).length > 10 ? true : undefined);
    await waitUntil(some, { what: 'some runs', withinMs: 60_000 });
    await own.restart();
    assert.ok((await sidecar.metrics())['litellm_mlflow_calls_pending'], 'it was under way');
    await assertRecorded(60, 150_000);
  });

  it('a server that is replaced by an empty one gets the calls that come then', async (t) => {
    const { moto } = mlflow;
    const [old, empty] = await Promise.all([
      startSuiteMlflow({ moto }),
      startSuiteMlflow({ moto }),
    ]);
    t.after(() => Promise.all([old.close(), empty.close()]));
    const { proxy, sidecar, experiment, post, metric } = await startStage(t, {
      mlflow: old,
      timeout: '10s',
    });
    await post(1, 3);
    await sidecar.drained();
    const replaced = afterFirst(proxy, 'runs/create', async () => proxy.pointTo(empty.url));
    await post(4, 4);
    await replaced();
    await post(5, 8);
    await sidecar.drained(60_000);
    // The run that was begun has gone with its server; that call is not made again.
    assert.equal(await metric('calls_shed_total{reason="deleted"}'), 1);
    assert.equal(await metric('calls_recorded_total'), 7);
    assert.equal(await metric('account_adds_up'), 1);
    const ids = (await mlflowReader(empty.url).runs(experiment)).map(
      ({ tags }) => tags['request_id'],
    );
    assert.deepEqual(ids.sort(), ['call-5', 'call-6', 'call-7', 'call-8']);
  });
});

/**
 * Does something when MLflow has acted on the first request of that name, before the sidecar knows.
 * The returned function waits for that.
 */
function afterFirst(proxy: FaultProxy, first: string, act: () => Promise<void>) {
  let state: 'waiting' | 'acting' | 'done' = 'waiting';
  proxy.hook({
    acted: async ({ name }) => {
      if (name !== first || state !== 'waiting') return;
      state = 'acting';
      await act();
      state = 'done';
    },
  });
  return () =>
    waitUntil(() => (state === 'done' ? true : undefined), { what: first, withinMs: 30_000 });
}
