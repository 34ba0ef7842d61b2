import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { eventsFrom } from '../support/litellm-event.ts';
import { startMinimalMlflow } from '../support/minimal-mlflow.ts';
import { planted } from '../support/planted.ts';
import { postEvents } from '../support/post-events.ts';
import type { EdgeRequest, SagemakerEdge } from '../support/sagemaker-edge/edge.ts';
import { startSagemakerStack } from '../support/sagemaker-stack.ts';
import { startSidecar } from '../support/sidecar.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

/**
 * ECONOMY_LONG: for minutes, so that rates can be told. The short form asserts counts alone: how fast
 * two processes get on shows nothing where others have the processor.
 */
const isLong = process.env['ECONOMY_LONG'] !== undefined;

/** What a small tracking server bears, in requests a second; a burst is two seconds' worth. */
const cap = 25;
const share = 0.6 * cap;
const burstSeconds = cap / (share - cap / 2);
const settlingSeconds = 10;
const seconds = isLong ? 80 : 15;
/** How many of `count` requests may be refused: one in a hundred; of a few, one more tells nothing. */
const mostRefused = (count: number) => Math.max(count / 100, 3);

test('under a backlog its share is used, and hardly anything is refused, also when the server bears half', {
  timeout: 400_000,
}, async (t) => {
  const { mlflow, edge, sidecar } = await startAll(t);
  const requests = (settlingSeconds + seconds) * (share + cap / 2) + burstSeconds * share;
  const calls = Math.ceil(requests / 3) + 20;
  await postEvents(sidecar.eventsUrl, eventsFrom(1, calls));

  await watch(t, edge, share, 'the whole');
  edge.setRate({ perSecond: cap / 2, burst: cap });
  // Until its burst is used up, nobody can tell.
  const hasRefused = () => (edge.requests.some(isRefused) ? true : undefined);
  await waitUntil(hasRefused, { what: 'a refusal', withinMs: 60_000 });
  await watch(t, edge, cap / 2, 'half');

  edge.setRate({ perSecond: 1_000, burst: 1_000 });
  await sidecar.drained(60_000);
  const sent = (name: string) => mlflow.requests.filter((one) => one === name).length;
  for (const name of ['runs/create', 'runs/log-batch', 'runs/update']) {
    assert.equal(sent(name), calls, name);
  }
  assert.equal(mlflow.requests.length, 3 * calls + 2, 'and two for the experiment');
});

/** Lets the rate settle, then watches so many requests pass as are due in the time. */
async function watch(
  t: TestContext,
  edge: SagemakerEdge,
  perSecond: number,
  what: string,
): Promise<void> {
  await passing(edge, settlingSeconds * perSecond);
  const first = edge.requests.length;
  const from = performance.now();
  await passing(edge, seconds * perSecond);
  const took = (performance.now() - from) / 1000;

  const watched = edge.requests.slice(first);
  const refused = watched.filter(isRefused).length;
  const rate = (watched.length - refused) / took;
  t.diagnostic(
    `${what}: ${rate.toFixed(2)} requests a second of ${perSecond}, ${refused} of ${watched.length} refused`,
  );
  assert.ok(refused <= mostRefused(watched.length), `${refused} of ${watched.length} were refused`);
  if (isLong) assert.ok(Math.abs(rate / perSecond - 1) <= 0.05, `${rate} of ${perSecond} a second`);
}

/** Waits until so many more requests have passed the edge. */
async function passing(edge: SagemakerEdge, count: number): Promise<void> {
  const passed = () => edge.requests.filter((request) => !isRefused(request)).length;
  const enough = passed() + count;
  await waitUntil(() => (passed() >= enough ? true : undefined), {
    what: `${count} requests to pass`,
    withinMs: 200_000,
  });
}

function isRefused({ refusal }: EdgeRequest): boolean {
  return refusal !== undefined;
}

async function startAll(t: TestContext) {
  const mlflow = await startMinimalMlflow(t);
  // Bodies are dropped, so that there is nothing for S3; whose the access keys are need nobody know.
  const nowhere = 'http://127.0.0.1:9';
  const moto = { url: nowhere, environment: { AWS_ENDPOINT_URL_STS: nowhere } };
  const rate = { perSecond: cap, burst: 2 * cap };
  const stack = await startSagemakerStack({ url: mlflow.url, moto, rate });
  t.after(stack.close);
  const config = join(tempFolder(t), 'sidecar.yaml');
  writeFileSync(config, 'redact: { bodies: drop }\n');
  const sidecar = await startSidecar({
    trackingUri: stack.arn,
    env: { ...stack.environment, SIDECAR_CONFIG: config },
    forbidden: [planted],
  });
  t.after(() => sidecar.close());
  return { mlflow, edge: stack.edge, sidecar };
}
