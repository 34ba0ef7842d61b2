import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createCredentialSource } from '../src/aws/credentials.ts';
import { createServerClock } from '../src/aws/server-clock.ts';
import { findDestination } from '../src/destination.ts';
import { loadSettings } from '../src/settings/load-settings.ts';
import { fakeClock } from './support/fake-clock.ts';
import { startControlPlane } from './support/sagemaker-control-plane/control-plane.ts';
import { waitUntil } from './support/wait-until.ts';

for (const variable of ['AWS_ENDPOINT_URL_SAGEMAKER', 'AWS_ENDPOINT_URL'] as const) {
  test(`the size of a tracking server counts as soon as SageMaker at ${variable} tells it`, (t) =>
    assertSizeCounts(t, variable));
}

async function assertSizeCounts(t: TestContext, variable: string): Promise<void> {
  const keys = { secretAccessKey: 'secret', sessionToken: 'token', allowed: ['sagemaker:*'] };
  const plane = await startControlPlane({ credentials: () => keys });
  t.after(plane.close);
  process.env[variable] = plane.url;
  t.after(() => delete process.env[variable]);
  const arn = plane.addTrackingServer('logs', { TrackingServerSize: 'Large' });
  plane.throttle();
  const loaded = loadSettings({ MLFLOW_TRACKING_URI: arn });
  assert.ok(loaded.kind === 'valid');
  const clock = createServerClock(Date.now);
  const credentials = createCredentialSource({
    fetch: async () => ({ ...keys, accessKeyId: 'KEY', source: 'a test' }),
    now: clock.now,
    random: Math.random,
  });
  const waiting = fakeClock();
  const told: string[] = [];
  const { bears } = await findDestination(
    () => loaded.settings,
    { credentials, clock, region: 'eu-west-1', roles: [] },
    {
      onUnknown: (name) => told.push(name),
      sleep: waiting.sleep,
      over: new AbortController().signal,
    },
  );
  await waitUntil(() => told[0], { what: 'the first question', withinMs: 5_000 });
  assert.deepEqual([told, bears()], [['ThrottlingException'], 25]);
  await new Promise(setImmediate);
  waiting.advance(60_000);
  await waitUntil(() => (bears() === 100 ? true : undefined), {
    what: 'the second question',
    withinMs: 5_000,
  });
}
