import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Fault } from '../support/fault-proxy.ts';
import { type SuiteMlflow, startSuiteMlflow } from '../support/front.ts';
import { assertLogged } from '../support/logged.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { isLong } from './is-long.ts';
import { mlflowState, startStage } from './stage.ts';

const refuse = (status: number, headers: Record<string, string> = {}, body = ''): Fault => ({
  ...{ kind: 'answer', status, headers, body },
});

/** How long the server refuses, in milliseconds, and how many probes may go out meanwhile. */
const refusedMs = isLong ? 60_000 : 2_000;
const mostProbes = isLong ? 20 : 4;

describe('a server that refuses', { concurrency: 4, timeout: isLong ? 900_000 : 200_000 }, () => {
  let mlflow: SuiteMlflow;
  before(async () => {
    mlflow = await startSuiteMlflow();
  });
  after(() => mlflow.close());

  const cases: readonly (readonly [what: string, fault: Fault, reason: string])[] = [
    ['throttles with 429', refuse(429), 'throttled'],
    ['is unavailable with 503', refuse(503), 'unavailable'],
    ['lets nobody in with 401', refuse(401), 'unauthorized'],
    ['forbids with 403', refuse(403, {}, 'Forbidden'), 'forbidden'],
    ['is no MLflow, and answers 404', refuse(404, {}, '<html>Not Found</html>'), 'not_mlflow'],
    ['is a login page, and answers 200', refuse(200, {}, '<html>Log in</html>'), 'not_mlflow'],
    ['knows no such method, with 501', refuse(501), 'unsupported'],
  ];
  for (const [what, fault, reason] of cases) {
    it(`that ${what} is held, and gets all calls when it no longer does`, async (t) => {
      const { proxy, sidecar, post, held, metric, assertRecorded } = await startStage(t, {
        mlflow,
      });
      proxy.harm(() => fault);
      await post(1, 5);
      assert.equal(await held(), reason);
      assert.equal(await metric('destination_held{destination="mlflow"}'), 1);
      // More calls are taken in meanwhile, and only probes go out.
      await post(6, 8);
      const tried = proxy.requests.length;
      await pause(refusedMs);
      assert.equal(await metric('calls_pending'), 8);
      assert.ok(proxy.requests.length - tried <= mostProbes, 'only probes go out');
      assert.equal((await mlflowState(sidecar)).state, 'held');
      proxy.heal();
      await assertRecorded(8);
      assert.equal((await mlflowState(sidecar)).state, 'open');
      assert.equal(await metric('destination_held{destination="mlflow"}'), 0);
      // One line an episode.
      await assertLogged(sidecar.logFile, 'mlflow takes nothing', 1);
      await assertLogged(sidecar.logFile, 'mlflow answers again', 1);
    });
  }

  it('that says when to come again is not asked before', async (t) => {
    const { proxy, post, held, assertRecorded } = await startStage(t, { mlflow });
    let refusedAt = 0;
    // Not the first request, but one in the middle of a call, while others are under way.
    proxy.harm(({ name, at, path }) => {
      if (name === 'runs/log-batch') refusedAt ||= at;
      if (refusedAt === 0 || at - refusedAt > 11_500 || !isMlflows(path)) return undefined;
      return refuse(429, { 'retry-after': '12' });
    });
    await post(1, 40);
    assert.equal(await held(), 'throttled');
    await assertRecorded(40);
    const asked = proxy.requests.filter(({ path }) => isMlflows(path));
    const sent = asked.map(({ at }) => at - refusedAt);
    // What was on its way when the refusal came back could not know of it.
    assert.deepEqual(sent.filter((ms) => ms > 200 && ms < 11_900).map(Math.round), []);
    assert.ok(sent.filter((ms) => ms > 0 && ms <= 200).length <= 16, 'the rest of those under way');
  });

  it('by its name, which does not resolve, is held until the name is put right', async (t) => {
    const dir = tempFolder(t);
    const wrong = await startStage(t, { mlflow, dir, endpoint: 'http://no-such-host.invalid' });
    await wrong.post(1, 5);
    assert.equal(await wrong.held(), 'unreachable');
    assert.equal(await wrong.metric('calls_pending'), 5);
    await wrong.sidecar.stop();
    const right = await startStage(t, { mlflow, dir });
    await right.assertRecorded(5);
    assert.match(
      readFileSync(join(dir, 'sidecar.log'), 'utf8'),
      /unreachable: ENOTFOUND|EAI_AGAIN/,
    );
  });
});

/** S3 is another server. */
function isMlflows(path: string): boolean {
  return path.startsWith('/api/');
}
