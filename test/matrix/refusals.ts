import assert from 'node:assert/strict';
import { it } from 'node:test';
import { awsJson, plainText, wordsAlone } from '../support/sagemaker-edge/refusal.ts';
import { waitUntil } from '../support/wait-until.ts';
import type { Release } from './release.ts';

const nothing = { perSecond: 0, burst: 0 };
const plenty = { perSecond: 1_000, burst: 1_000 };

/** What SageMaker refuses holds the calls, and none is lost by it. */
export function refusals(release: Release): void {
  for (const [kind, action, unknown] of [
    ['tracking-server', 'sagemaker-mlflow:CreateRun', 'no_such_server'],
    ['app', 'sagemaker:CallMlflowAppApi', 'forbidden'],
  ] as const) {
    it(`an ARN of no ${kind} holds all calls until there is one`, async (t) => {
      const { sagemaker, post, held, assertRecorded } = await release.stage(t, { kind });
      sagemaker.resources.splice(0);
      await post(1, 3);
      assert.equal(await held(), unknown);
      sagemaker.resources.push(sagemaker.arn);
      await assertRecorded(3);
    });

    it(`without permission on the ${kind} all calls are held until there is one`, async (t) => {
      const { sagemaker, post, held, assertRecorded } = await release.stage(t, { kind });
      sagemaker.edge.deny(action);
      await post(1, 3);
      assert.equal(await held(), 'forbidden');
      sagemaker.edge.allow(action);
      await assertRecorded(3);
    });
  }

  it('however it is said that requests come too fast, they are sent again, once each', async (t) => {
    const { sagemaker, post, metric, assertRecorded } = await release.stage(t);
    const { edge } = sagemaker;
    await post(1, 1);
    await assertRecorded(1);
    let calls = 1;
    for (const [format, throttling] of [
      [awsJson, { status: 400 }],
      [awsJson, { status: 429 }],
      [awsJson, { status: 429, retryAfter: 1 }],
      [awsJson, { status: 503 }],
      [awsJson, { status: 503, retryAfter: 1 }],
      // Then only a header has the name of the error.
      [plainText, { status: 400 }],
      [plainText, { status: 503 }],
      [wordsAlone, { status: 400 }],
      [wordsAlone, { status: 503 }],
    ] as const) {
      const throttled = await metric('throttled_total');
      edge.reset();
      edge.setRefusalFormat(format);
      edge.setThrottling(throttling);
      edge.setRate(nothing);
      await post(calls + 1, calls + 2);
      calls += 2;
      const refused = () => edge.requests.filter(({ status }) => status === throttling.status);
      const isRefused = () => (refused().length >= 2 ? true : undefined);
      await waitUntil(isRefused, { what: 'two refusals', withinMs: 15_000 });
      edge.setRate(plenty);
      await assertRecorded(calls);
      assert.ok((await metric('throttled_total')) >= throttled + 2, 'and they are counted');
    }
  });

  it('a 503 of which nobody says why holds all calls until it is over', async (t) => {
    const { proxy, post, held, assertRecorded } = await release.stage(t);
    for (const [first, headers] of [
      [1, {}],
      [3, { 'retry-after': '2' }],
    ] as const) {
      proxy.harm(() => ({ kind: 'answer', status: 503, headers, body: 'Service Unavailable' }));
      await post(first, first + 1);
      assert.equal(await held(), 'unavailable');
      proxy.heal();
      await assertRecorded(first + 1);
    }
  });
}
