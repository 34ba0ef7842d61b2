import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { eventsFrom } from '../support/litellm-event.ts';
import { startMinimalFront } from '../support/minimal-front.ts';
import { postEvents } from '../support/post-events.ts';
import { startSidecar } from '../support/sidecar.ts';
import { waitUntil } from '../support/wait-until.ts';

test('a create that is under way at a stop is not sent again after it', {
  timeout: 240_000,
}, async (t) => {
  const { mlflow, proxy, trackingUri, environment: env } = await startMinimalFront(t);
  // The server acts, but answers later than the stop's grace of 8 s.
  proxy.harm(({ name }) => (name === 'runs/create' ? { kind: 'slow', ms: 11_000 } : undefined));
  const sidecar = await startSidecar({ trackingUri, env });
  t.after(() => sidecar.close());
  await postEvents(sidecar.eventsUrl, eventsFrom(1, 3));
  await waitUntil(() => (mlflow.runs.size === 3 ? true : undefined), {
    what: 'three creates to act',
    withinMs: 20_000,
  });
  const { code } = await sidecar.stop();
  assert.equal(code, 0);
  proxy.heal();
  await sidecar.start();
  await sidecar.drained(150_000);
  assert.deepEqual(
    [...mlflow.runs.values()].map((run) => run.status),
    ['FINISHED', 'FINISHED', 'FINISHED'],
  );
});

test('a post that stalls does not stop the stop', { timeout: 60_000 }, async (t) => {
  const { trackingUri, environment: env } = await startMinimalFront(t);
  const sidecar = await startSidecar({ trackingUri, env });
  t.after(() => sidecar.close());
  const stalled = request(sidecar.eventsUrl, {
    method: 'POST',
    headers: { 'content-length': 1_000, expect: '100-continue' },
  });
  stalled.on('error', () => undefined);
  stalled.flushHeaders();
  await new Promise((resolve) => stalled.once('continue', resolve));
  const began = performance.now();
  const { code } = await sidecar.stop();
  assert.equal(code, 0);
  assert.ok(performance.now() - began < 12_000, 'within the grace and a little');
});
