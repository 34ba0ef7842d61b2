import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { pino } from 'pino';
import { startApp } from '../src/app.ts';
import { loadSettings } from '../src/settings/load-settings.ts';
import { listenLocally } from './support/listen-locally.ts';
import { tempFolder } from './support/temp-folder.ts';
import { waitUntil } from './support/wait-until.ts';

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
