import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { litellmEvent } from '../support/litellm-event.ts';
import { startMinimalFront } from '../support/minimal-front.ts';
import { startSidecar } from '../support/sidecar.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

/** A sidecar whose settings stand in a file; `logged` waits until its log has a line like this. */
async function withFile(t: TestContext, content: string) {
  const { mlflow, trackingUri, environment } = await startMinimalFront(t);
  const file = join(tempFolder(t), 'sidecar.yaml');
  writeFileSync(file, content);
  // The file alone decides on the level, too.
  const env = { ...environment, SIDECAR_CONFIG: file, SIDECAR_LOG_LEVEL: undefined };
  const sidecar = await startSidecar({ trackingUri, env });
  t.after(() => sidecar.close());
  const logged = (pattern: RegExp) => {
    const look = () => pattern.exec(readFileSync(sidecar.logFile, 'utf8')) ?? undefined;
    return waitUntil(look, { what: String(pattern), withinMs: 20_000 });
  };
  const post = async (event: object, token?: string) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const body = JSON.stringify([event]);
    return (await fetch(sidecar.eventsUrl, { method: 'POST', headers, body })).status;
  };
  return { mlflow, file, sidecar, logged, post };
}

test('SIGHUP takes over what can change, and names what takes a restart', async (t) => {
  const { mlflow, file, sidecar, logged, post } = await withFile(t, '');
  assert.equal(await post(litellmEvent(1)), 200);
  writeFileSync(
    file,
    `
    server: { authToken: the-new-token, maxInflightBytes: 600MiB }
    record: { experiment: /renamed }
    redact: { bodies: drop }
    log: { level: debug }
    `,
  );
  process.kill(sidecar.pid, 'SIGHUP');
  await logged(/"changed":\[[^\]]*"record\.experiment"[^\]]*\]/);
  await logged(/"afterRestart":\["server\.maxInflightBytes"\]/);

  assert.equal(await post(litellmEvent(2)), 401);
  assert.equal(await post(litellmEvent(2), 'the-new-token'), 200);
  await logged(/"a post was kept"/);
  await sidecar.drained();
  const [first, second] = [...mlflow.runs.values()];
  assert.equal(first?.experimentId, mlflow.experiments.get('/litellm-monitoring')?.id);
  assert.equal(second?.experimentId, mlflow.experiments.get('/renamed')?.id);
  assert.ok(first?.artifacts.has('call.json'));
  assert.ok(!second?.artifacts.has('call.json'));
});

test('a file that changes is read without being asked to', async (t) => {
  const { file, logged, post } = await withFile(t, '');
  writeFileSync(file, 'server: { authToken: the-new-token }');
  await logged(/"changed":\["server\.authToken"\]/);
  assert.equal(await post(litellmEvent(1)), 401);
});

test('a file with mistakes changes nothing, until they are mended', async (t) => {
  const { file, sidecar, logged, post } = await withFile(t, 'server: { authToken: a-good-token }');
  const successful = async () =>
    (await sidecar.metrics())['litellm_mlflow_config_last_reload_successful'];
  assert.equal(await successful(), 1);
  for (const [wrong, seen] of [
    ['server: { authToken: short }', /"path":"server\.authToken","value":"\(hidden\)"/],
    ['server: [', /"value":"broken"/],
    ['log: { level: loud }', /"path":"log\.level"/],
    // Cut short, it would let everybody in.
    ['', /"value":"empty"/],
    [undefined, /"path":"SIDECAR_CONFIG"/],
  ] as const) {
    if (wrong === undefined) rmSync(file);
    else writeFileSync(file, wrong);
    process.kill(sidecar.pid, 'SIGHUP');
    await logged(seen);
    assert.equal(await successful(), 0);
    assert.equal(await post(litellmEvent(1)), 401);
    assert.equal(await post(litellmEvent(1), 'a-good-token'), 200);
  }
  assert.doesNotMatch(readFileSync(sidecar.logFile, 'utf8'), /short/);

  writeFileSync(file, 'server: { authToken: another-good-token }');
  process.kill(sidecar.pid, 'SIGHUP');
  await logged(/"changed":\["server\.authToken"\]/);
  assert.equal(await successful(), 1);
  assert.equal(await post(litellmEvent(1), 'another-good-token'), 200);
});
