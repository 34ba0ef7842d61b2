import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  type ContainerCredentialsOptions,
  startContainerCredentials,
} from '../../support/container-credentials.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { assertEachOnce, held, post, sidecarOn, startStage } from './stage.ts';

const hour = 3_600_000;

/**
 * A sidecar on a stage whose only credentials are a container's; the edge refuses what has run out by its own clock.
 * A fetch takes a while, so that two at a time would show.
 */
async function startWithContainer(
  t: TestContext,
  options: Partial<ContainerCredentialsOptions> = {},
  more: Readonly<Record<string, string>> = {},
) {
  const container = await startContainerCredentials({
    kind: 'pod-identity',
    latency: 100,
    ...options,
  });
  t.after(container.close);
  const { now = Date.now } = options;
  const stage = await startStage(
    t,
    (id) => {
      const key = container.find(id);
      if (key !== undefined && now() >= key.expiresAt) stage.edge.expire(id);
      return key;
    },
    now,
  );
  const sidecar = await sidecarOn(t, stage, { ...container.environment, ...more });
  const recorded = (count: number) =>
    waitUntil(
      async () =>
        [...stage.mlflow.runs.values()].filter(({ status }) => status === 'FINISHED').length >=
          count || undefined,
      { what: `${count} recorded calls`, withinMs: 60_000, everyMs: 10 },
    );
  const refusals = () =>
    stage.edge.requests.flatMap(({ refusal }) => (refusal === undefined ? [] : [refusal]));
  return { container, stage, sidecar, recorded, refusals };
}

test('500 calls are recorded once each while their credentials run out twice, refused under way', async (t) => {
  const { container, stage, sidecar, recorded, refusals } = await startWithContainer(t);
  await post(sidecar, 1, 500);
  for (const count of [100, 300]) {
    await recorded(count);
    stage.edge.expire(container.latest ?? '');
  }
  await sidecar.drained(60_000);
  assertEachOnce(stage, 500);
  assert.equal(container.handedOut, 3);
  assert.equal(container.mostAtOnce, 1, 'one fetch at a time');
  assert.deepEqual(new Set(refusals()), new Set(['ExpiredTokenException']));
});

test('500 calls are recorded once each over credentials of seconds, renewed before they run out', async (t) => {
  const { container, stage, sidecar, refusals } = await startWithContainer(
    t,
    { lifetime: 5 },
    // 1500 requests take twelve seconds.
    { SIDECAR_REQUESTS_PER_SECOND: '125' },
  );
  await post(sidecar, 1, 500);
  await sidecar.drained(60_000);
  assertEachOnce(stage, 500);
  const used = new Set(stage.edge.requests.map(({ accessKeyId }) => accessKeyId));
  assert.ok(used.size >= 3, `${used.size} access keys were used`);
  assert.ok(container.handedOut <= 6, `${container.handedOut} were asked for`);
  assert.equal(container.mostAtOnce, 1, 'one fetch at a time');
  assert.deepEqual(refusals(), [], 'nothing was signed by what had run out');
});

test('while credentials cannot be had calls wait, and go on when they can', async (t) => {
  const { container, stage, sidecar, recorded } = await startWithContainer(t);
  await post(sidecar, 1, 100);
  await recorded(30);
  container.fail(500);
  stage.edge.expire(container.latest ?? '');
  const { reason } = await held(sidecar);
  // The old ones have not run out by their own time: it is AWS that says so.
  assert.equal(reason, 'unauthorized');
  await post(sidecar, 101, 150);
  container.fail(undefined);
  await sidecar.drained(60_000);
  assertEachOnce(stage, 150);
  assert.equal(container.handedOut, 2);
});

test('credentials that run out while no others can be had hold MLflow for that reason', async (t) => {
  const { container, stage, sidecar, recorded } = await startWithContainer(t, { lifetime: 2 });
  await post(sidecar, 1, 20);
  await recorded(20);
  container.fail(500);
  const { expiresAt = 0 } = container.find(container.latest ?? '') ?? {};
  await waitUntil(() => Date.now() > expiresAt || undefined, {
    what: 'the credentials to run out',
    withinMs: 10_000,
  });
  await post(sidecar, 21, 40);
  assert.deepEqual((await held(sidecar)).reason, 'no_credentials');
  container.fail(undefined);
  await sidecar.drained(60_000);
  assertEachOnce(stage, 40);
});

test('a key that was revoked is replaced by one renewal', async (t) => {
  const { container, stage, sidecar, recorded, refusals } = await startWithContainer(t);
  await post(sidecar, 1, 20);
  await recorded(20);
  stage.edge.revoke(container.latest ?? '');
  await post(sidecar, 21, 40);
  await sidecar.drained();
  assertEachOnce(stage, 40);
  assert.deepEqual(
    [container.handedOut, new Set(refusals())],
    [2, new Set(['UnrecognizedClientException'])],
  );
});

test('where a renewal gives the same revoked key again, MLflow is held', async (t) => {
  const stage = await startStage(t, () => ({ secretAccessKey: 'a secret', allowed: ['*'] }));
  const sidecar = await sidecarOn(t, stage, {
    AWS_ACCESS_KEY_ID: 'AKIAUSER',
    AWS_SECRET_ACCESS_KEY: 'a secret',
  });
  await post(sidecar, 1, 10);
  await sidecar.drained();
  stage.edge.revoke('AKIAUSER');
  await post(sidecar, 11, 11);
  assert.equal((await held(sidecar)).reason, 'unauthorized');
  assert.equal(stage.mlflow.created, 10);
});

for (const [direction, skew] of [
  ['behind', hour],
  ['ahead', -hour],
] as const) {
  test(`a sidecar whose clock is an hour ${direction} learns the time, and asks for credentials no oftener`, async (t) => {
    const now = () => Date.now() + skew;
    const { container, stage, sidecar, refusals } = await startWithContainer(t, { now });
    await post(sidecar, 1, 200);
    await sidecar.drained(60_000);
    assertEachOnce(stage, 200);
    assert.deepEqual(new Set(refusals()), new Set(['InvalidSignatureException']));
    assert.ok(refusals().length <= 8, `${refusals().length} requests were refused`);
    assert.equal(container.handedOut, 1);
  });
}
