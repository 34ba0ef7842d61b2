import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { pino } from 'pino';
import { openJournal } from '../../src/journal/journal-client.ts';
import { statusPage } from '../../src/observe/status-page.ts';
import {
  createReceiver,
  type PostReport,
  type ReceiverOptions,
} from '../../src/receive/receiver.ts';
import { journalDefaults } from '../support/journal-defaults.ts';
import { bodyOf, eventsFrom, litellmEvent } from '../support/litellm-event.ts';
import { tempFolder } from '../support/temp-folder.ts';

const megabyte = 1_000_000;

async function setUp(t: TestContext, changes: Partial<ReceiverOptions> = {}) {
  const journal = await openJournal(journalDefaults(tempFolder(t)), () => undefined);
  const posts: PostReport[] = [];
  let wakes = 0;
  const app = createReceiver(
    {
      journal,
      health: async () => ({ accepting: true, report: { status: 'ok' } }),
      page: statusPage,
      metrics: async () => ({ contentType: 'text/plain', text: 'm 1\n' }),
      onAccepted: () => {
        wakes += 1;
      },
      onPost: (report) => posts.push(report),
      now: Date.now,
      log: pino({ level: 'silent' }),
    },
    {
      authToken: () => undefined,
      maxBodyBytes: 8 * megabyte,
      maxInflightBytes: 16 * megabyte,
      patienceMs: 60_000,
      ...changes,
    },
  );
  t.after(async () => {
    await app.close();
    await journal.close().catch(() => undefined);
  });
  const post = async (
    payload: string | Uint8Array,
    headers: Record<string, string> = { 'content-type': 'application/json' },
  ) => {
    const response = await app.inject({
      method: 'POST',
      url: '/v1/events',
      payload: Buffer.from(payload),
      headers,
    });
    return { status: response.statusCode, body: response.json(), headers: response.headers };
  };
  return { app, journal, posts, post, wakes: () => wakes };
}

const all = (received: number) => ({ received, accepted: received, duplicates: 0, rejected: [] });

test('the page of the root shows the health report, without scripts', async (t) => {
  const { app } = await setUp(t);
  const response = await app.inject({ method: 'GET', url: '/' });
  assert.equal(response.statusCode, 200);
  assert.match(String(response.headers['content-type']), /^text\/html/);
  assert.match(String(response.headers['content-security-policy']), /default-src 'none'/);
  assert.match(response.body, /litellm-mlflow-sidecar: <span class="good">ok<\/span>/);
  assert.ok(!response.body.includes('<script'));
});

test('a batch is kept in each of LiteLLM’s formats, whatever its content type says', async (t) => {
  const { post } = await setUp(t);
  const array = JSON.stringify(eventsFrom(1, 3));
  const ndjson = eventsFrom(4, 6)
    .map((event) => JSON.stringify(event))
    .join('\n');
  const single = JSON.stringify(litellmEvent(7));
  assert.deepEqual((await post(array)).body, all(3));
  assert.deepEqual((await post(ndjson)).body, all(3));
  assert.deepEqual((await post(single, { 'content-type': 'text/plain' })).body, all(1));
  assert.deepEqual((await post(JSON.stringify([litellmEvent(8)]), {})).body, all(1));
});

test('200 means that the calls are in the journal, and delivery is told', async (t) => {
  const { post, journal, wakes } = await setUp(t);
  assert.equal((await post(bodyOf(...eventsFrom(1, 5)))).status, 200);
  assert.equal((await journal.account()).pending, 5);
  assert.equal(wakes(), 1);
});

test('gzip is unpacked, with or without the header that announces it', async (t) => {
  const { post } = await setUp(t);
  const packed = gzipSync(bodyOf(litellmEvent(1)));
  assert.deepEqual((await post(packed, { 'content-encoding': 'gzip' })).body, all(1));
  assert.deepEqual((await post(gzipSync(bodyOf(litellmEvent(2))), {})).body, all(1));
});

test('a header that announces gzip before a body that is none does no harm', async (t) => {
  const { post } = await setUp(t);
  const plain = bodyOf(litellmEvent(1));
  assert.deepEqual((await post(plain, { 'content-encoding': 'gzip' })).body, all(1));
});

test('a body that is no JSON is answered 200, rejected, and counted as dead', async (t) => {
  const { post, journal } = await setUp(t);
  for (const body of ['hello', gzipSync(bodyOf(litellmEvent(1))).subarray(0, 60)]) {
    const { status, body: receipt } = await post(body);
    assert.equal(status, 200);
    assert.deepEqual(receipt.rejected, [{ index: 0, reason: 'not_json' }]);
  }
  assert.equal((await journal.account()).dead, 2);
});

test('one unusable element costs itself alone', async (t) => {
  const { post } = await setUp(t);
  const [first, second] = eventsFrom(1, 2).map((event) => JSON.stringify(event));
  const { body } = await post(`[${first}, null, {"id": oops}, 5, ${second}]`);
  assert.deepEqual(body, {
    received: 5,
    accepted: 2,
    duplicates: 0,
    rejected: [
      { index: 1, reason: 'null' },
      { index: 2, reason: 'broken_json' },
      { index: 3, reason: 'not_an_object' },
    ],
  });
});

test('a body over the limit is refused with 413 and its size counted, packed or not', async (t) => {
  const { post, posts } = await setUp(t);
  const big = bodyOf(litellmEvent(1, { messages: 'x'.repeat(9 * megabyte) }));
  assert.equal((await post(big)).status, 413);
  assert.equal((await post(gzipSync(big))).status, 413);
  assert.deepEqual(
    posts.map(({ status }) => status),
    [413, 413],
  );
  assert.equal(posts[0]?.bytes, big.length);
});

test('with a token, only a post that bears it is taken, as Bearer or bare', async (t) => {
  const { post, posts } = await setUp(t, { authToken: () => 'a-good-token' });
  const body = bodyOf(litellmEvent(1));
  for (const authorization of ['', 'wrong', 'Bearer wrong', 'Bearer a-good-token-and-more']) {
    assert.equal((await post(body, { authorization })).status, 401, authorization);
  }
  assert.equal((await post(body, {})).status, 401);
  assert.deepEqual((await post(body, { authorization: 'Bearer a-good-token' })).body, all(1));
  assert.equal((await post(body, { authorization: 'a-good-token' })).body.duplicates, 1);
  assert.equal(posts.filter(({ status }) => status === 401).length, 5);
});

test('a content type that is none is no reason to refuse', async (t) => {
  const { post } = await setUp(t);
  for (const [number, type] of ['garbage', 'a/b/c', '', 'application/json; charset'].entries()) {
    const { status, body } = await post(bodyOf(litellmEvent(number)), { 'content-type': type });
    assert.deepEqual([status, body], [200, all(1)], type);
  }
});

test('a little gzip that holds very much is refused before it is unpacked', async (t) => {
  const { post } = await setUp(t, { maxBodyBytes: 64 * megabyte, maxInflightBytes: 64 * megabyte });
  const bomb = gzipSync(Buffer.alloc(60 * megabyte, ' '));
  const before = process.memoryUsage.rss();
  const statuses = await Promise.all(
    Array.from({ length: 8 }, async () => (await post(bomb)).status),
  );
  assert.ok(
    statuses.every((status) => status === 503 || status === 200),
    String(statuses),
  );
  assert.ok(statuses.includes(503), 'they do not all fit at once');
  const grown = (process.memoryUsage.rss() - before) / megabyte;
  assert.ok(grown < 400, `resident memory grew by ${grown} MB`);
});

test('health and metrics need no token', async (t) => {
  const { app } = await setUp(t, { authToken: () => 'a-good-token' });
  for (const url of ['/healthz', '/readyz', '/metrics']) {
    assert.equal((await app.inject(url)).statusCode, 200, url);
  }
});

test('too much under way is put off with 503 and Retry-After, then taken', async (t) => {
  const { app, post } = await setUp(t, { maxInflightBytes: megabyte, maxBodyBytes: megabyte });
  const url = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
  const large = bodyOf(litellmEvent(1, { messages: 'x'.repeat(900_000) }));
  const slow = httpRequest(url, {
    method: 'POST',
    path: '/v1/events',
    headers: { 'content-length': large.length, expect: '100-continue' },
  });
  slow.flushHeaders();
  await once(slow, 'continue');
  const body = bodyOf(litellmEvent(2, { messages: 'y'.repeat(200_000) }));
  const refused = await post(body);
  assert.equal(refused.status, 503);
  assert.equal(refused.headers['retry-after'], '1');
  slow.end(large);
  const [response] = await once(slow, 'response');
  assert.equal(response.statusCode, 200);
  response.resume();
  assert.equal((await post(body)).status, 200);
});

test('a journal that cannot keep is answered 503 with Retry-After', async (t) => {
  const { post, journal } = await setUp(t);
  await journal.close();
  const { status, headers } = await post(bodyOf(litellmEvent(1)));
  assert.equal(status, 503);
  assert.ok(Number(headers['retry-after']) > 0);
});

test('a post that breaks off leaves nothing behind', async (t) => {
  const { app, journal } = await setUp(t);
  const url = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
  const broken = httpRequest(url, {
    method: 'POST',
    path: '/v1/events',
    headers: { 'content-length': '100000', expect: '100-continue' },
  });
  broken.on('error', () => undefined);
  broken.flushHeaders();
  broken.write(`[${JSON.stringify(litellmEvent(1))}`);
  await once(broken, 'continue');
  broken.destroy();
  const response = await fetch(new URL('/v1/events', url), { method: 'POST', body: '[]' });
  assert.equal(response.status, 200);
  assert.equal((await journal.account()).received, 0);
});

test('after a body that was refused half read, the next request of the connection is answered', async (t) => {
  const { app, posts } = await setUp(t, { maxBodyBytes: megabyte });
  const url = new URL('/v1/events', await app.listen({ port: 0, host: '127.0.0.1' }));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const send = async (body: string) => {
    // Without a length it is read until it is too long.
    const request = httpRequest(url, { method: 'POST', agent });
    for (let from = 0; from < body.length; from += 65_536) {
      request.write(body.slice(from, from + 65_536));
    }
    const [response] = await once(request.end(), 'response', {
      signal: AbortSignal.timeout(10_000),
    });
    await once(response.resume(), 'end');
    return response.statusCode;
  };
  assert.equal(await send(' '.repeat(3 * megabyte)), 413);
  assert.equal(await send('[]'), 200);
  assert.equal(posts.length, 2);
});

test('a post that stalls is put off, so that LiteLLM posts it again, and counted', async (t) => {
  const { app, posts, journal } = await setUp(t, { patienceMs: 50 });
  const url = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
  const slow = httpRequest(url, {
    method: 'POST',
    path: '/v1/events',
    headers: { 'content-length': '100000' },
  });
  slow.on('error', () => undefined);
  slow.write(`[${JSON.stringify(litellmEvent(1))}`);
  const [response] = await once(slow, 'response');
  response.resume();
  assert.equal(response.statusCode, 503);
  assert.ok(Number(response.headers['retry-after']) > 0);
  await once(slow, 'close');
  assert.deepEqual(
    posts.map(({ status, bytes }) => [status, bytes]),
    [[503, 100_000]],
  );
  assert.equal((await journal.account()).received, 0);
});

test('a slash at the end of the address is none of another', async (t) => {
  const { app } = await setUp(t);
  const response = await app.inject({
    method: 'POST',
    url: '/v1/events/',
    payload: Buffer.from(bodyOf(litellmEvent(1))),
  });
  assert.deepEqual([response.statusCode, response.json()], [200, all(1)]);
});

test('an empty body and an empty batch are nothing', async (t) => {
  const { post } = await setUp(t);
  assert.deepEqual((await post('')).body, all(0));
  assert.deepEqual((await post('[]')).body, all(0));
});
