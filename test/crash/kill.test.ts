import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { type SuiteMlflow, startFront, startSuiteMlflow } from '../support/front.ts';
import { eventsFrom } from '../support/litellm-event.ts';
import { mlflowReader } from '../support/mlflow-reader.ts';
import { postEvents } from '../support/post-events.ts';
import { type Sidecar, startSidecar } from '../support/sidecar.ts';

let mlflow: SuiteMlflow;
before(async () => {
  mlflow = await startSuiteMlflow();
});
after(async () => {
  await mlflow.close();
});

/** Each of the calls has exactly one run, deleted ones included, and that one is complete. */
async function assertOneRunEach(experiment: string, callIds: readonly string[]): Promise<void> {
  const runs = await mlflowReader(mlflow.url).runs(experiment, 'ALL');
  assert.deepEqual(runs.map((run) => run.tags['request_id']).sort(), [...callIds].sort());
  for (const run of runs) {
    assert.equal(run.status, 'FINISHED', run.tags['request_id']);
    assert.equal(run.metrics['total_tokens'], 28, run.tags['request_id']);
    assert.equal(run.params['temperature'], '0.5', run.tags['request_id']);
  }
}

/** A sidecar before the MLflow, or before the edge through which it is reached. */
async function startSidecarBefore(t: TestContext, experiment: string): Promise<Sidecar> {
  let trackingUri = mlflow.url;
  let env = {};
  if (mlflow.moto !== undefined) {
    const front = await startFront(mlflow);
    t.after(front.close);
    ({ trackingUri, environment: env } = front);
  }
  const sidecar = await startSidecar({ trackingUri, experiment, env });
  t.after(() => sidecar.close());
  return sidecar;
}

const callIds = (count: number) => Array.from({ length: count }, (_, index) => `call-${index + 1}`);

test('every acknowledged call has exactly one run when the sidecar is killed under load', {
  timeout: 300_000,
}, async (t) => {
  const experiment = '/killed';
  const sidecar = await startSidecarBefore(t, experiment);
  let acknowledged = 0;
  for (let batch = 0; batch < 50; batch += 1) {
    const events = eventsFrom(batch * 20 + 1, batch * 20 + 20);
    const posted = postEvents(sidecar.eventsUrl, events);
    if (batch === 20 || batch === 35) {
      await sidecar.kill();
      await sidecar.start();
    }
    const receipt = await posted;
    acknowledged += receipt.accepted + receipt.duplicates;
  }
  assert.equal(acknowledged, 1_000);
  const atKill = await mlflowReader(mlflow.url).runs(experiment, 'ALL');
  assert.ok(atKill.length < 1_000, 'delivery was still under way');
  // Calls that were begun at a kill are searched for until 90 s later.
  await sidecar.drained(240_000);
  await assertOneRunEach(experiment, callIds(1_000));
  const metrics = await sidecar.metrics();
  assert.equal(metrics['litellm_mlflow_calls_recorded_total'], 1_000);
  assert.equal(metrics['litellm_mlflow_account_adds_up'], 1);
});

test('calls that come while MLflow is down are recorded when it is back', {
  timeout: 240_000,
}, async (t) => {
  const experiment = '/outage';
  await mlflow.stop();
  const sidecar = await startSidecarBefore(t, experiment);
  for (let batch = 0; batch < 10; batch += 1) {
    const receipt = await postEvents(
      sidecar.eventsUrl,
      eventsFrom(batch * 100 + 1, batch * 100 + 100),
    );
    assert.equal(receipt.accepted, 100);
  }
  const response = await fetch(`${sidecar.url}/healthz`);
  assert.equal(response.status, 200, 'a destination that is down is no fault of the sidecar');
  const health = JSON.parse(await response.text());
  assert.equal(health.destinations.mlflow.state, 'held');
  // SageMaker's edge is reached, and breaks off.
  const reason = mlflow.moto === undefined ? 'unreachable' : 'failing';
  assert.equal(health.destinations.mlflow.reason, reason);
  assert.equal(health.journal.pending, 1_000);
  await mlflow.start();
  await sidecar.drained(200_000);
  await assertOneRunEach(experiment, callIds(1_000));
});
