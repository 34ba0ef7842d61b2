import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventsFrom, litellmEvent } from '../support/litellm-event.ts';
import type { Fault } from '../support/minimal-mlflow.ts';
import { type MinimalTraces, startMinimalTraces } from '../support/minimal-traces.ts';
import { startTraceLine } from '../support/trace-line.ts';

const newest = { version: '3.17.2', otlp: true, infos: true, v3: true, serverInfo: true };
const old = { version: '3.10.1', otlp: true, v3: true, serverInfo: true, isOld: true };
const second = 1_000;
const minute = 60_000;

const isPost = (request: string) => request === 'v1/traces';
const posts = (server: MinimalTraces) => server.requests.filter(isPost).length;
const totalTokens = (server: MinimalTraces) =>
  [...server.traces.values()].reduce((sum, { totalTokens: tokens }) => sum + tokens, 0);

test('calls go a hundred a request, into the experiment of their runs', async (t) => {
  const server = await startMinimalTraces(t, newest);
  const line = startTraceLine(t, server.url);
  line.append(eventsFrom(1, 250));
  await line.pass(3 * second);
  assert.deepEqual(line.counts(), { waiting: 0, kept: 250, givenUp: 0 });
  assert.deepEqual(server.batches.toSorted(), [100, 100, 50]);
  assert.deepEqual([...server.experiments.keys()], ['/litellm']);
  assert.equal(server.traces.size, 250);
  assert.ok(server.traces.has(line.traceIdOf(7)));
});

test('after a silence a call is sent at once, and a stream of few in one request in 15 seconds', async (t) => {
  const server = await startMinimalTraces(t, newest);
  const line = startTraceLine(t, server.url);
  await line.pass(minute);
  assert.equal(posts(server), 0);
  line.append([litellmEvent(1)]);
  await line.pass(3 * second);
  assert.equal(posts(server), 1);
  for (let number = 2; number < 242; number += 1) {
    line.append([litellmEvent(number)]);
    if (number % 4 === 0) await line.pass(second);
  }
  await line.pass(20 * second);
  assert.equal(line.counts().kept, 241);
  assert.ok(posts(server) <= 7, `${posts(server)} requests`);
});

test('each experiment has a request of its own, and none waits for the others', async (t) => {
  const server = await startMinimalTraces(t, newest);
  const line = startTraceLine(t, server.url);
  for (let number = 1; number <= 60; number += 1) {
    line.append([litellmEvent(number)], `/team-${number % 3}`);
  }
  await line.pass(3 * second);
  assert.equal(line.counts().kept, 60);
  assert.deepEqual(server.batches, [20, 20, 20]);
  assert.equal(new Set([...server.traces.values()].map((one) => one.experimentId)).size, 3);
});

test('hundreds of experiments with a call each cost a request a second', async (t) => {
  const server = await startMinimalTraces(t, newest);
  const line = startTraceLine(t, server.url);
  for (let number = 1; number <= 40; number += 1)
    line.append([litellmEvent(number)], `/e${number}`);
  await line.pass(12 * second);
  assert.ok(posts(server) <= 23, `${posts(server)} requests in 12 seconds`);
  await line.pass(minute);
  assert.equal(line.counts().kept, 40);
});

test('megabytes go in several requests', async (t) => {
  const server = await startMinimalTraces(t, newest);
  const line = startTraceLine(t, server.url);
  const messages = [{ role: 'user', content: 'word '.repeat(40_000) }];
  line.append(eventsFrom(1, 40, { messages }));
  await line.pass(3 * second);
  assert.equal(line.counts().kept, 40);
  assert.deepEqual(server.batches, [20, 20]);
});

test('a trace that the server finds unacceptable costs itself alone', async (t) => {
  const server = await startMinimalTraces(t, newest);
  const line = startTraceLine(t, server.url);
  line.append(eventsFrom(1, 100));
  const bad = line.traceIdOf(42);
  server.refuses = (id) =>
    id === bad ? { status: 422, body: { detail: 'Failed to log OpenTelemetry spans' } } : undefined;
  await line.pass(3 * second);
  assert.deepEqual(line.counts(), { waiting: 0, kept: 99, givenUp: 1 });
  assert.deepEqual(line.losses, ['1 rejected']);
  assert.ok(posts(server) <= 15, `${posts(server)} requests`);
});

test('where what was refused may be kept in part, it is asked before a half is sent', async (t) => {
  const server = await startMinimalTraces(t, old);
  const line = startTraceLine(t, server.url);
  line.append(eventsFrom(1, 100));
  const bad = line.traceIdOf(42);
  server.refuses = (id) => (id === bad ? { status: 422, body: { detail: 'no' } } : undefined);
  await line.pass(3 * second);
  assert.deepEqual(line.counts(), { waiting: 0, kept: 99, givenUp: 1 });
  assert.equal(totalTokens(server), 99 * 28);
});

const internal: Fault = { status: 500, body: { error_code: 'INTERNAL_ERROR', message: 'NUL' } };

for (const [name, abilities] of [
  ['newest', newest],
  ['old', old],
] as const) {
  test(`a trace over which the ${name} server fails for ever is given up while others pass`, async (t) => {
    const server = await startMinimalTraces(t, abilities);
    const line = startTraceLine(t, server.url);
    line.append(eventsFrom(1, 50));
    const bad = line.traceIdOf(9);
    server.refuses = (id) => (id === bad ? internal : undefined);
    await line.pass(5 * second);
    assert.deepEqual(line.counts(), { waiting: 1, kept: 49, givenUp: 0 });
    for (let number = 51; number < 65; number += 1) {
      line.append([litellmEvent(number)]);
      await line.pass(minute);
    }
    assert.deepEqual(line.counts(), { waiting: 0, kept: 63, givenUp: 1 });
    assert.deepEqual(line.losses, ['1 server_error']);
    assert.equal(totalTokens(server), 63 * 28);
  });
}

test('a server that fails over everything loses no trace, and is asked ever more rarely', async (t) => {
  const server = await startMinimalTraces(t, newest);
  const line = startTraceLine(t, server.url);
  server.fault = (request) => (isPost(request) ? { status: 500 } : undefined);
  line.append(eventsFrom(1, 100));
  await line.pass(30 * minute);
  assert.ok(posts(server) < 80, `${posts(server)} requests in half an hour`);
  assert.deepEqual(line.counts(), { waiting: 100, kept: 0, givenUp: 0 });
  server.fault = () => undefined;
  await line.pass(10 * minute);
  assert.equal(line.counts().kept, 100);
});

test('a trace over which the server fails is not given up as long as it takes no other', async (t) => {
  const server = await startMinimalTraces(t, newest);
  const line = startTraceLine(t, server.url);
  server.fault = (request) => (isPost(request) ? { status: 500 } : undefined);
  line.append([litellmEvent(1)]);
  await line.pass(30 * minute);
  assert.ok(posts(server) < 40, `${posts(server)} requests in half an hour`);
  server.fault = () => undefined;
  await line.pass(10 * minute);
  assert.equal(line.counts().kept, 1);
});

test('an answer that was lost doubles no tokens: the server is asked when it cannot act any more', async (t) => {
  const server = await startMinimalTraces(t, old);
  const line = startTraceLine(t, server.url);
  let lost = 0;
  server.fault = (request) => {
    if (!isPost(request) || lost === 2) return undefined;
    lost += 1;
    return lost === 1 ? 'drop_after' : 'drop_before';
  };
  line.append(eventsFrom(1, 30));
  await line.pass(3 * second);
  line.append(eventsFrom(31, 40));
  await line.pass(minute);
  assert.equal(server.requests.filter((name) => name === 'traces/batchGet').length, 0, 'not yet');
  await line.pass(3 * minute);
  assert.equal(line.counts().kept, 40);
  assert.equal(totalTokens(server), 40 * 28);
});

test('where a trace counts once however often it comes, it is simply sent again', async (t) => {
  const server = await startMinimalTraces(t, newest);
  const line = startTraceLine(t, server.url);
  let lost = 0;
  server.fault = (request) => (isPost(request) && ++lost === 1 ? 'drop_after' : undefined);
  line.append(eventsFrom(1, 30));
  await line.pass(20 * second);
  assert.equal(line.counts().kept, 30);
  assert.equal(totalTokens(server), 30 * 28);
  assert.ok(!server.requests.some((name) => name.startsWith('traces/batchGet')));
});

for (const drop of ['drop_after', 'drop_before'] as const) {
  test(`a kill over a request doubles no tokens, nor loses a trace (${drop})`, async (t) => {
    const server = await startMinimalTraces(t, old);
    const line = startTraceLine(t, server.url);
    server.fault = (request) => (isPost(request) ? drop : undefined);
    line.append(eventsFrom(1, 30));
    await line.pass(3 * second);
    await line.stop();
    server.fault = () => undefined;
    line.start();
    await line.pass(4 * minute);
    assert.equal(line.counts().kept, 30);
    assert.equal(server.traces.size, 30);
    assert.equal(totalTokens(server), 30 * 28);
  });
}

test('what was not sent is not asked about', async (t) => {
  const server = await startMinimalTraces(t, old);
  const line = startTraceLine(t, server.url);
  server.fault = (request) => (isPost(request) ? { status: 429 } : undefined);
  line.append(eventsFrom(1, 5));
  await line.pass(20 * second);
  assert.equal(line.held(), 'throttled');
  server.fault = () => undefined;
  await line.pass(2 * minute);
  assert.equal(line.counts().kept, 5);
  assert.ok(!server.requests.some((name) => name.startsWith('traces/batchGet')));
});

test('a server of whose version nothing is known is probed', async (t) => {
  const front = { otlp: true, serverInfo: true, v3: true, isOld: true };
  const server = await startMinimalTraces(t, front);
  const line = startTraceLine(t, server.url);
  line.append(eventsFrom(1, 5));
  await line.pass(5 * second);
  assert.deepEqual(line.ways, ['otlp']);
  assert.equal(line.counts().kept, 5);
});

for (const [what, abilities] of [
  ['a version before 3.6', { version: '3.4.0', otlp: true, v3: true }],
  ['a version before traces of today', { version: '3.0.1' }],
  ['a server that knows nothing of traces', {}],
  ['a front that keeps the path from us', { version: '3.17.2', v3: true }],
] as const) {
  test(`nothing waits for a trace on ${what}`, async (t) => {
    const server = await startMinimalTraces(t, abilities);
    const line = startTraceLine(t, server.url);
    line.append(eventsFrom(1, 5));
    await line.pass(minute);
    assert.equal(line.ways.at(-1), 'none');
    assert.ok(line.isWaived());
    const asked = server.requests.length;
    await line.pass(minute);
    assert.equal(server.requests.length, asked);
  });
}

for (const abilities of [
  { version: '3.4.0', v3: true },
  { v3: true },
  { ...newest, otlp: false },
]) {
  const who = abilities.version ?? 'a server of unknown version';
  test(`where traces are wanted they are made one by one on ${who} without OTLP`, async (t) => {
    const server = await startMinimalTraces(t, abilities);
    const line = startTraceLine(t, server.url, { wish: 'on' });
    line.append(eventsFrom(1, 9));
    const bad = line.traceIdOf(4);
    server.refuses = (id) =>
      id === bad
        ? { status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE', message: 'no' } }
        : undefined;
    await line.pass(minute);
    assert.equal(line.ways.at(-1), 'v3');
    assert.deepEqual(line.counts(), { waiting: 0, kept: 8, givenUp: 1 });
    const trace = server.traces.get(line.traceIdOf(3));
    assert.equal(trace?.totalTokens, 28);
    assert.equal(JSON.parse(trace?.file ?? '').spans[0].name, 'gpt-4o-mini acompletion');
  });
}

test('a permission that is lacking for something else than traces costs none', async (t) => {
  const server = await startMinimalTraces(t, newest);
  server.fault = (request) => (request === 'experiments/create' ? { status: 403 } : undefined);
  const line = startTraceLine(t, server.url);
  line.append(eventsFrom(1, 5));
  await line.pass(10 * minute);
  assert.ok(!line.isWaived());
  assert.equal(line.held(), 'forbidden');
  server.fault = () => undefined;
  await line.pass(5 * minute);
  assert.equal(line.counts().kept, 5);
});

for (const status of [403, 404]) {
  test(`a server that may not be asked what it has (${status}) costs the traces in doubt, and no others`, async (t) => {
    const server = await startMinimalTraces(t, old);
    const line = startTraceLine(t, server.url);
    line.append(eventsFrom(1, 3));
    await line.pass(3 * second);
    let lost = 0;
    server.fault = (request) => {
      if (request === 'traces/batchGet') return { status, body: page };
      return isPost(request) && ++lost === 1 ? 'drop_after' : undefined;
    };
    line.append(eventsFrom(4, 13));
    await line.pass(30 * second);
    line.append(eventsFrom(14, 20));
    await line.pass(30 * second);
    assert.deepEqual(line.counts(), { waiting: 10, kept: 10, givenUp: 0 });
    line.append(eventsFrom(21, 25));
    await line.pass(10 * minute);
    assert.deepEqual(line.counts(), { waiting: 0, kept: 15, givenUp: 10 });
    assert.deepEqual(line.losses, ['10 unclear']);
    assert.equal(totalTokens(server), 25 * 28, 'what was in doubt had been kept, once');
  });
}

test('a server that takes no traces is asked again each hour, and gets those of the calls since', async (t) => {
  const server = await startMinimalTraces(t, { version: '2.16.2' });
  const line = startTraceLine(t, server.url);
  await line.pass(30 * minute);
  assert.ok(line.isWaived());
  server.abilities = newest;
  await line.pass(31 * minute);
  assert.ok(!line.isWaived());
  line.append(eventsFrom(1, 5));
  await line.pass(minute);
  assert.deepEqual([line.ways, line.counts().kept], [['none', 'otlp'], 5]);
  const asked = server.requests.filter((request) => request === 'version').length;
  assert.ok(asked <= 2, `${asked} times`);
});

test('spans go straight to S3, also where the files of runs go by presigned URLs', async (t) => {
  const server = await startMinimalTraces(t, { version: '3.4.0', v3: true });
  server.artifactRoot = 's3://calls/1';
  const line = startTraceLine(t, server.url, { wish: 'on', presigned: true });
  line.append([litellmEvent(1)]);
  await line.pass(minute);
  assert.equal(line.counts().kept, 1);
  const place = `s3://calls/1/traces/tr-${line.traceIdOf(1)}/artifacts/traces.json`;
  assert.deepEqual([line.stored, line.losses], [[place], []]);
});

test('traces that are forbidden where all else is allowed are waived', async (t) => {
  const server = await startMinimalTraces(t, newest);
  server.fault = (request) => (isPost(request) ? { status: 403 } : undefined);
  const line = startTraceLine(t, server.url);
  line.append(eventsFrom(1, 5));
  await line.pass(5 * minute);
  assert.ok(line.isWaived());
  assert.ok(posts(server) >= 3);
});

const page = '<!doctype html><title>404 Not Found</title>';
const refusals: readonly [string, Fault][] = [
  ['forbids', { status: 403, body: 'Forbidden' }],
  ['knows nothing of', { status: 404, body: page }],
];

for (const [what, fault] of refusals) {
  test(`a server that ${what} anything for a while is waited for, from the first request on`, async (t) => {
    const server = await startMinimalTraces(t, newest);
    server.fault = () => fault;
    const line = startTraceLine(t, server.url);
    line.append(eventsFrom(1, 5));
    await line.pass(10 * minute);
    assert.ok(!line.isWaived());
    server.fault = () => undefined;
    await line.pass(10 * minute);
    assert.equal(line.counts().kept, 5);
  });

  test(`a server that ${what} anything once its way is known is waited for`, async (t) => {
    const server = await startMinimalTraces(t, newest);
    const line = startTraceLine(t, server.url);
    await line.pass(second);
    assert.deepEqual(line.ways, ['otlp']);
    server.fault = () => fault;
    line.append(eventsFrom(1, 5));
    await line.pass(10 * minute);
    assert.ok(!line.isWaived());
    server.fault = () => undefined;
    await line.pass(10 * minute);
    assert.equal(line.counts().kept, 5);
  });
}

test('a server that refuses everything while its way is probed is probed again', async (t) => {
  const server = await startMinimalTraces(t, { otlp: true, serverInfo: true, v3: true });
  server.fault = (request) => {
    if (request !== 'experiments/get-by-name') return { status: 403 };
    server.fault = () => undefined;
    return undefined;
  };
  const line = startTraceLine(t, server.url);
  line.append(eventsFrom(1, 5));
  await line.pass(minute);
  assert.deepEqual(line.ways, ['otlp']);
  assert.equal(line.counts().kept, 5);
});

test('a path that is missing for a while, though it has worked, is waited for', async (t) => {
  const server = await startMinimalTraces(t, newest);
  const line = startTraceLine(t, server.url);
  line.append([litellmEvent(1)]);
  await line.pass(3 * second);
  server.fault = (request) => (isPost(request) ? { status: 404, body: '<html>' } : undefined);
  line.append(eventsFrom(2, 5));
  await line.pass(5 * minute);
  assert.ok(!line.isWaived());
  server.fault = () => undefined;
  await line.pass(10 * minute);
  assert.equal(line.counts().kept, 5);
});

test('an empty server in place of the one before gets the experiment anew', async (t) => {
  const server = await startMinimalTraces(t, newest);
  const line = startTraceLine(t, server.url);
  line.append([litellmEvent(1)]);
  await line.pass(3 * second);
  server.experiments.clear();
  server.experiments.set('/other', '7');
  line.append([litellmEvent(2)]);
  await line.pass(2 * minute);
  assert.equal(line.counts().kept, 2);
});
