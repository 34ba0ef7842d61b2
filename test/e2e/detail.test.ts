import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import { readChunks } from '../support/chunk-reader.ts';
import { eventsFrom, litellmEvent } from '../support/litellm-event.ts';
import { mlflowReader } from '../support/mlflow-reader.ts';
import { type MlflowServer, startMlflow } from '../support/mlflow-server.ts';
import { postEvents } from '../support/post-events.ts';
import { startSidecar } from '../support/sidecar.ts';
import { failedEvent } from '../support/usage-journal.ts';
import { usageSums } from '../support/usage-sums.ts';
import { waitUntil } from '../support/wait-until.ts';

const mlflow: MlflowServer = await startMlflow();
after(() => mlflow.close());
const reader = mlflowReader(mlflow.url);

const everything = {
  SIDECAR_RECORD_USAGE: 'on',
  SIDECAR_RECORD_CALLS: 'on',
  SIDECAR_RECORD_TRACES: 'auto',
  SIDECAR_RECORD_RUNS: 'auto',
};

async function start(t: TestContext, experiment: string, env: Record<string, string> = {}) {
  const sidecar = await startSidecar({
    trackingUri: mlflow.url,
    experiment,
    env: { ...everything, ...env },
  });
  t.after(() => sidecar.close());
  return sidecar;
}

const ids = (first: number, last: number) =>
  new Map(
    Array.from({ length: last - first + 1 }, (_, index) => [`call-${first + index}`, 1] as const),
  );

test('by default a call is in usage, the table, the archive and the traces, and has its run', {
  timeout: 120_000,
}, async (t) => {
  const sidecar = await start(t, '/all');
  await postEvents(sidecar.eventsUrl, [...eventsFrom(1, 40), failedEvent(41)]);
  await waitUntil(
    async () => {
      const metrics = await sidecar.metrics();
      const isDone =
        metrics['litellm_mlflow_runs_complete_total'] === 41 &&
        metrics['litellm_mlflow_traces_sent_total'] === 41;
      return isDone ? true : undefined;
    },
    { what: 'runs and traces', withinMs: 60_000 },
  );
  assert.equal((await sidecar.metrics())['litellm_mlflow_calls_pending'], 41, 'the chunk is open');
  const { code } = await sidecar.stop();
  assert.equal(code, 0);

  assert.equal((await reader.runs('/all')).length, 41);
  const kept = await readChunks(reader, '/all/calls');
  assert.deepEqual([kept.chunks, kept.tables, kept.archive], [1, ids(1, 41), ids(1, 41)]);
  const sums = usageSums(reader, '/all/usage');
  assert.deepEqual([await sums('requests'), await sums('failures')], [41, 1]);

  await sidecar.start();
  await sidecar.drained();
  const metrics = await sidecar.metrics();
  assert.equal(metrics['litellm_mlflow_calls_recorded_total'], 41);
  assert.equal(metrics['litellm_mlflow_account_adds_up'], 1);
});

test('a stop sends usage and the open chunk before the runs that wait', {
  timeout: 120_000,
}, async (t) => {
  const sidecar = await start(t, '/stop', {
    SIDECAR_RECORD_TRACES: 'off',
    SIDECAR_REQUESTS_PER_SECOND: '4',
  });
  await postEvents(sidecar.eventsUrl, eventsFrom(1, 300));
  await sidecar.stop();
  assert.ok((await reader.runs('/stop')).length < 30);
  const kept = await readChunks(reader, '/stop/calls');
  assert.deepEqual([kept.tables, kept.archive], [ids(1, 300), ids(1, 300)]);
  assert.equal(await usageSums(reader, '/stop/usage')('requests'), 300);
});

test('failures have a quota, marked calls none, and a sample says its rate', {
  timeout: 120_000,
}, async (t) => {
  const sidecar = await start(t, '/auto', { SIDECAR_RECORD_TRACES: 'off' });
  const failures = Array.from({ length: 100 }, (_, number) => failedEvent(number));
  await postEvents(sidecar.eventsUrl, [...failures, litellmEvent(200)]);
  await waitUntil(
    async () =>
      (await sidecar.metrics())['litellm_mlflow_runs_complete_total'] === 21 ? true : undefined,
    { what: 'the runs', withinMs: 60_000 },
  );
  const metrics = await sidecar.metrics();
  assert.equal(metrics['litellm_mlflow_calls_without_run_total{reason="quota"}'], 80);
  const runs = await reader.runs('/auto');
  const rates = runs.map(({ status, tags }) => `${status} ${tags['sidecar.sample_rate']}`);
  assert.deepEqual(new Set(rates), new Set(['FAILED undefined', 'FINISHED 1']));
  const health: { recording: { runs: Record<string, unknown> } } = JSON.parse(
    await (await fetch(`${sidecar.url}/healthz`)).text(),
  );
  const { setting, sample_rate, because, none } = health.recording.runs;
  assert.deepEqual(
    { setting, sample_rate, because, none },
    { setting: 'auto', sample_rate: 1, because: 'every call: all fit', none: { quota: 80 } },
  );
});
