import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Fault } from '../support/fault-proxy.ts';
import { type SuiteMlflow, startSuiteMlflow } from '../support/front.ts';
import { waitUntil } from '../support/wait-until.ts';
import { isLong } from './is-long.ts';
import { firstOf, startStage } from './stage.ts';

describe('what goes wrong with single requests', { concurrency: 5, timeout: 400_000 }, () => {
  let mlflow: SuiteMlflow;
  before(async () => {
    mlflow = await startSuiteMlflow();
  });
  after(() => mlflow.close());

  // The two that take longest come first, so that all others run beside them.
  it('the second run of a create that acted after the last search is deleted', {
    timeout: 200_000,
  }, async (t) => {
    const { proxy, sidecar, post, runs } = await startStage(t, { mlflow, timeout: '1s' });
    const sentAgain = () =>
      waitUntil(() => proxy.named('runs/create')[1]?.status, {
        what: 'the create to be sent again',
        withinMs: 150_000,
      });
    proxy.harm(firstOf('runs/create', 1, { kind: 'act_late', until: sentAgain }));
    // The answer of the next request waits until the late create has acted.
    proxy.hook({
      acted: async ({ name }) => {
        if (name === 'runs/log-batch') await proxy.settled();
      },
    });
    await post(1, 1);
    await sidecar.drained(150_000);
    const ends = (await runs()).map(({ status, lifecycle }) => `${lifecycle} ${status}`);
    assert.deepEqual(ends.sort(), ['active FINISHED', 'deleted RUNNING']);
  });

  it('a call that the server fails over each time dies alone, while others are recorded', {
    timeout: 250_000,
  }, async (t) => {
    const { proxy, sidecar, post, runs, metric } = await startStage(t, {
      mlflow,
      timeout: '20s',
    });
    const failures = () => proxy.requests.filter(({ fault }) => fault === 'answer').length;
    const internalError: Fault = {
      kind: 'answer',
      status: 500,
      body: '{"error_code":"INTERNAL_ERROR","message":"NUL"}',
    };
    let poisoned: string | undefined;
    proxy.harm(({ name, body }) => {
      if (name !== 'runs/log-batch') return undefined;
      const runId = /"run_id":"(\w+)"/.exec(body.toString())?.[1];
      poisoned ??= runId;
      return runId === poisoned ? internalError : undefined;
    });
    // Another call passes between each two of its failures: so the fault is its own.
    proxy.hook({
      arrived: async ({ fault }) => {
        if (fault === undefined) return undefined;
        const others = failures();
        await post(others + 1, others + 1);
        const passed = () => (proxy.named('runs/update').length >= others ? true : undefined);
        await waitUntil(passed, { what: `call ${others + 1} to pass`, withinMs: 15_000 });
        return undefined;
      },
    });
    await post(1, 1);
    await sidecar.drained(200_000);
    assert.equal(failures(), 8);
    assert.equal(await metric('calls_recorded_total'), 8);
    assert.equal(await metric('calls_dead_total'), 1);
    assert.equal(await metric('account_adds_up'), 1);
    assert.equal((await runs()).filter(({ status }) => status === 'FINISHED').length, 8);
  });

  it('a create whose answer was lost is found, not sent again', async (t) => {
    const { proxy, post, assertRecorded } = await startStage(t, { mlflow });
    proxy.harm(firstOf('runs/create', 2, { kind: 'lose_answer' }));
    await post(1, 4);
    await assertRecorded(4);
    assert.equal(proxy.named('runs/create').length, 4);
    assert.equal(proxy.named('runs/search').length, 2);
  });

  for (const [name, what] of [
    ['runs/log-batch', 'params and metrics'],
    ['artifacts/put', 'an artifact'],
    ['runs/update', 'the end of a run'],
  ] as const) {
    it(`${what}, once sent without an answer, are sent again`, async (t) => {
      const { proxy, post, assertRecorded } = await startStage(t, { mlflow });
      proxy.harm(firstOf(name, 2, { kind: 'lose_answer' }));
      await post(1, 4);
      await assertRecorded(4);
      assert.equal(proxy.named(name).length, 6);
      assert.equal(proxy.named('runs/create').length, 4);
    });
  }

  it('a look-up of an experiment whose answer was lost is sent again', async (t) => {
    const { proxy, post, assertRecorded } = await startStage(t, { mlflow });
    proxy.harm(firstOf('experiments/get-by-name', 1, { kind: 'lose_answer' }));
    await post(1, 3);
    await assertRecorded(3);
    assert.ok(proxy.named('experiments/get-by-name').length >= 2);
  });

  it('a search whose answer was lost finds the run the next time', async (t) => {
    const { proxy, post, assertRecorded } = await startStage(t, { mlflow });
    const lose: Fault = { kind: 'lose_answer' };
    const create = firstOf('runs/create', 1, lose);
    const search = firstOf('runs/search', 1, lose);
    proxy.harm((passing) => create(passing) ?? search(passing));
    await post(1, 2);
    await assertRecorded(2);
    assert.equal(proxy.named('runs/create').length, 2);
    assert.ok(proxy.named('runs/search').length >= 2);
  });

  it('an experiment whose making got no answer is made once', async (t) => {
    const { proxy, post, assertRecorded } = await startStage(t, { mlflow });
    proxy.harm(firstOf('experiments/create', 1, { kind: 'lose_answer' }));
    await post(1, 3);
    await assertRecorded(3);
    assert.equal(proxy.named('experiments/create').length, 1);
  });

  for (const name of ['runs/create', 'runs/log-batch', 'artifacts/put', 'runs/update']) {
    it(`an answer of ${name} that breaks off in its middle counts as none`, async (t) => {
      const { proxy, post, assertRecorded } = await startStage(t, { mlflow });
      proxy.harm(firstOf(name, 1, { kind: 'reset_answer' }));
      await post(1, 3);
      await assertRecorded(3);
    });

    it(`a connection that breaks in the middle of ${name} leaves one run a call`, {
      timeout: 200_000,
    }, async (t) => {
      const { proxy, post, assertRecorded } = await startStage(t, { mlflow });
      proxy.harm(firstOf(name, 2, { kind: 'reset_request' }));
      await post(1, 3);
      // A create may have acted: it is sent again after the last search, at 90 s.
      await assertRecorded(3, 150_000);
      assert.equal(proxy.requests.filter(({ fault }) => fault === 'reset_request').length, 2);
    });

    it(`a server that acts on ${name} after the sidecar gave up leaves one run a call`, async (t) => {
      const { proxy, post, assertRecorded } = await startStage(t, {
        mlflow,
        timeout: '1s',
      });
      proxy.harm(firstOf(name, 1, { kind: 'act_late', until: () => pause(5_000) }));
      await post(1, 3);
      await assertRecorded(3);
      assert.equal(proxy.named('runs/create').length, 3);
      assert.equal(proxy.requests.filter(({ fault }) => fault === 'act_late').length, 1);
    });
  }

  it('a request that hangs is given up, and what it asked for is done once', async (t) => {
    const timeout = isLong ? '30s' : '1s';
    const { proxy, post, assertRecorded } = await startStage(t, { mlflow, timeout });
    proxy.harm(firstOf('runs/log-batch', 2, { kind: 'hang' }));
    await post(1, 4);
    await assertRecorded(4);
    assert.equal(proxy.named('runs/log-batch').length, 6);
  });

  it('a server that takes two seconds for each answer gets each request once', async (t) => {
    const { proxy, post, assertRecorded } = await startStage(t, {
      mlflow,
      timeout: '10s',
    });
    proxy.harm(() => ({ kind: 'slow', ms: 2_000 }));
    await post(1, 6);
    await assertRecorded(6);
    const perCall = ['runs/create', 'runs/log-batch', 'artifacts/put', 'runs/update'];
    for (const name of perCall) assert.equal(proxy.named(name).length, 6, name);
  });

  it('requests that the server fails over for a while are sent until they pass', async (t) => {
    const { proxy, post, assertRecorded } = await startStage(t, { mlflow });
    proxy.harm(firstOf('runs/log-batch', 4, { kind: 'answer', status: 500 }));
    await post(1, 3);
    await assertRecorded(3);
    assert.equal(proxy.named('runs/log-batch').length, 7);
  });
});
