import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { startCountingProxy } from './counting-proxy.ts';

test('requests pass with their bodies and are counted without their ids', async (t) => {
  const { proxy } = await startEcho(t);
  const answers = [
    await post(`${proxy.url}/runs/12?a=1`, 'x'),
    await post(`${proxy.url}/runs/13`, 'y'),
  ];
  assert.deepEqual(answers, ['echo x', 'echo y']);
  assert.deepEqual(proxy.counts(), { 'POST /runs/*': 2 });
  assert.equal(proxy.count('POST', /^\/runs\/13$/), 1);
  assert.equal(proxy.requests[0]?.status, 200);
});

test('a dropped answer reached the target, a refused request did not', async (t) => {
  const { proxy, received } = await startEcho(t);
  proxy.treat(() => ({ kind: 'drop' }));
  await assert.rejects(post(proxy.url, 'acted upon'));
  proxy.treat(() => ({ kind: 'refuse' }));
  await assert.rejects(post(proxy.url, 'never seen'));
  assert.deepEqual(received, ['acted upon']);
});

test('an answer can be made up or delayed', async (t) => {
  const { proxy, received } = await startEcho(t);
  proxy.treat(() => ({ kind: 'answer', status: 503, headers: { 'retry-after': '2' } }));
  const response = await fetch(proxy.url, { method: 'POST', body: 'x' });
  assert.deepEqual([response.status, response.headers.get('retry-after')], [503, '2']);
  assert.deepEqual(received, []);

  proxy.treat(() => ({ kind: 'pass', delayMs: 150 }));
  const since = performance.now();
  assert.equal(await post(proxy.url, 'late'), 'echo late');
  assert.ok(performance.now() - since >= 140);
});

async function startEcho(t: TestContext) {
  const received: string[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const body = await text(incoming);
    received.push(body);
    outgoing.end(`echo ${body}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const proxy = await startCountingProxy(`http://127.0.0.1:${address.port}`);
  t.after(async () => {
    await proxy.close();
    server.closeAllConnections();
    server.close();
  });
  return { proxy, received };
}

async function post(url: string, body: string): Promise<string> {
  return (await fetch(url, { method: 'POST', body })).text();
}
