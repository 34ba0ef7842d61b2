import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readChunks } from '../support/chunk-reader.ts';
import { eventsFrom } from '../support/litellm-event.ts';
import { mlflowReader } from '../support/mlflow-reader.ts';
import { postEvents } from '../support/post-events.ts';
import { bucket, startManagedMlflow, startSagemakerStack } from '../support/sagemaker-stack.ts';
import { startSidecar } from '../support/sidecar.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { usageSums } from '../support/usage-sums.ts';

const calls = 7_500;

test('a disk that goes with the sidecar takes nothing with it when the sidecar is stopped', {
  timeout: 240_000,
}, async (t) => {
  const mlflow = await startManagedMlflow();
  t.after(() => mlflow.close());
  // As much as a small tracking server bears: the runs of all of them would take half an hour.
  const rate = { perSecond: 25, burst: 50 };
  const stack = await startSagemakerStack({ url: mlflow.url, moto: mlflow.moto, rate });
  t.after(stack.close);
  const dir = tempFolder(t);
  const config = join(dir, 'sidecar.yaml');
  const settings = {
    journal: { ephemeral: true },
    archive: { uri: `s3://${bucket}/calls` },
    shutdown: { grace: '18s' },
  };
  writeFileSync(config, JSON.stringify(settings));
  const sidecar = await startSidecar({
    trackingUri: stack.arn,
    experiment: '/ephemeral',
    dir: join(dir, 'data'),
    env: {
      ...stack.environment,
      ...{ SIDECAR_CONFIG: config, SIDECAR_RECORD_RUNS: 'auto' },
      ...{ SIDECAR_RECORD_USAGE: 'on', SIDECAR_RECORD_CALLS: 'on' },
    },
  });
  t.after(() => sidecar.close());
  for (let first = 1; first <= calls; first += 500) {
    await postEvents(sidecar.eventsUrl, eventsFrom(first, first + 499));
  }
  const pending = (await sidecar.metrics())['litellm_mlflow_calls_pending'] ?? 0;
  assert.ok(pending > calls - 500, `${pending} are pending`);
  // What fails once is not tried at the next start: there is none.
  let isHarmed = false;
  stack.proxy.harm(({ name, body }) => {
    if (isHarmed || name !== 'runs/log-batch' || !body.includes('day/requests')) return undefined;
    isHarmed = true;
    return { kind: 'answer', status: 502 };
  });
  const { code } = await sidecar.stop();
  assert.ok(isHarmed);
  assert.equal(code, 0);
  rmSync(join(dir, 'data'), { recursive: true });

  const reader = mlflowReader(mlflow.url);
  const stored = await mlflow.moto.objects(bucket, 'calls/');
  const { tables, archive } = await readChunks(reader, '/ephemeral/calls', async (uri) => {
    const content = stored.get(uri.replace(`s3://${bucket}/`, ''));
    assert.ok(content, uri);
    return content;
  });
  const once = new Map(eventsFrom(1, calls).map((event) => [event.litellm_call_id, 1]));
  assert.deepEqual(tables, once);
  assert.deepEqual(archive, once);
  assert.equal(await usageSums(reader, '/ephemeral/usage')('requests'), calls);
  const ofSeries = (await reader.runs('/ephemeral/usage')).flatMap(({ tags, metrics }) => {
    const name = tags['usage.team'] ?? tags['usage.model'];
    return name === undefined ? [] : [[name, metrics['requests']] as const];
  });
  assert.deepEqual(Object.fromEntries(ofSeries), { payments: calls, 'gpt-4o-mini': calls });
});
