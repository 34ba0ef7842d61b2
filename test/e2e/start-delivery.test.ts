import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { pino } from 'pino';
import { startApp } from '../../src/app.ts';
import { loadSettings } from '../../src/settings/load-settings.ts';
import { listenLocally } from '../support/listen-locally.ts';
import { litellmEvent } from '../support/litellm-event.ts';
import { startMinimalMlflow } from '../support/minimal-mlflow.ts';
import { postEvents } from '../support/post-events.ts';
import { startSmallS3 } from '../support/small-s3.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

test('a stop does not wait for a look-up that is not answered', { timeout: 12_000 }, async (t) => {
  let asked = 0;
  const silent = createServer(() => {
    asked += 1;
  });
  const local = await listenLocally(silent);
  t.after(local.close);
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: 'KEY',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_ENDPOINT_URL_SAGEMAKER: local.url,
    AWS_ENDPOINT_URL_STS: local.url,
  });
  const loaded = loadSettings({
    SIDECAR_DATA_DIR: tempFolder(t),
    SIDECAR_PORT: '0',
    MLFLOW_TRACKING_SERVER_NAME: 'logs',
    AWS_REGION: 'eu-west-1',
  });
  assert.equal(loaded.kind, 'valid');
  const app = await startApp({
    settings: loaded.settings,
    version: 'test',
    log: pino({ level: 'silent' }),
    onFatal: assert.fail,
  });
  await waitUntil(() => (asked > 0 ? true : undefined), { what: 'a look-up', withinMs: 5_000 });
  const began = performance.now();
  await app.stop();
  const took = performance.now() - began;
  assert.ok(took < 4_000, `it took ${took} ms`);
});

test('an endpoint that the environment names for all services takes artifacts, buckets in the path', async (t) => {
  const mlflow = await startMinimalMlflow(t);
  mlflow.artifactRoot = 's3://artifacts/mlflow/';
  const s3 = await startSmallS3(t);
  const keys = { AWS_ACCESS_KEY_ID: 'KEY', AWS_SECRET_ACCESS_KEY: 'secret' };
  // At an address no bucket stands in the host, whoever asks.
  const named = s3.url.replace('127.0.0.1', 'localhost');
  Object.assign(process.env, { ...keys, AWS_ENDPOINT_URL: named });
  t.after(() => delete process.env['AWS_ENDPOINT_URL']);
  const loaded = loadSettings({
    SIDECAR_DATA_DIR: tempFolder(t),
    SIDECAR_PORT: '0',
    SIDECAR_RECORD_USAGE: 'off',
    MLFLOW_TRACKING_URI: mlflow.url,
  });
  assert.ok(loaded.kind === 'valid');
  const said: string[] = [];
  const app = await startApp({
    settings: loaded.settings,
    version: 'test',
    log: pino({}, { write: (line: string) => said.push(line) }),
    onFatal: assert.fail,
  });
  t.after(() => app.stop());
  await postEvents(`${app.url}/v1/events`, [litellmEvent(1)]);
  const stored = () => [...s3.objects.keys()][0];
  const object = await waitUntil(stored, { what: 'the artifact', withinMs: 10_000 });
  assert.match(object, /^\/artifacts\/mlflow\/.*\/call\.json$/);
  const hint = () => said.find((line) => line.includes('a role is safer'));
  await waitUntil(hint, { what: 'a word on who signs', withinMs: 10_000 });
});
