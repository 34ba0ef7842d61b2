import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import type { Refusal } from '../../src/aws/authorizer.ts';
import { createSigV4 } from '../../src/aws/sigv4.ts';
import { createHttpTransport } from '../../src/mlflow/http-transport.ts';
import { uploadTo } from '../../src/mlflow/upload-to.ts';
import { fileBody } from '../support/file-body.ts';
import { listenLocally } from '../support/listen-locally.ts';

test("an answer comes with AWS's name for the error, and so does what the signer is told", async (t) => {
  const server = createServer((_, response) => {
    response.writeHead(503, { 'x-amzn-errortype': 'ThrottlingException' }).end('{}');
  });
  const local = await listenLocally(server);
  t.after(local.close);
  const refusals: Refusal[] = [];
  const transport = createHttpTransport({
    url: new URL(local.url),
    connections: 1,
    timeoutMs: () => 5_000,
    authorize: async ({ path, headers }) => ({
      path,
      headers,
      refused: async (refusal) => {
        refusals.push(refusal);
        return false;
      },
    }),
  });
  t.after(transport.close);
  assert.deepEqual(await transport.send({ name: 'runs/create', method: 'POST', path: '/' }), {
    kind: 'answer',
    status: 503,
    text: '{}',
    errorType: 'ThrottlingException',
  });
  assert.equal(refusals[0]?.errorType, 'ThrottlingException');
});

/** A server that keeps what it is sent, and answers as it is told. */
async function startReceiver(t: TestContext, statusOf: (requests: number) => number = () => 200) {
  const got: { headers: IncomingHttpHeaders; body: Buffer }[] = [];
  const server = createServer(async (incoming, response) => {
    got.push({ headers: incoming.headers, body: await buffer(incoming) });
    response.writeHead(statusOf(got.length)).end('{}');
  });
  const local = await listenLocally(server);
  t.after(local.close);
  return { url: local.url, got };
}

const put = { name: 'artifacts/put', method: 'PUT', path: '/file' } as const;

test('a file is sent from the disk with its length, signed by its digest, and again after a refusal', async (t) => {
  const { url, got } = await startReceiver(t, (requests) => (requests === 1 ? 403 : 200));
  const content = randomBytes(3_000_000);
  const { body } = fileBody(t, content);
  const endpoint = { url: new URL(url), region: 'eu-west-1', service: 'sagemaker', headers: {} };
  const used = { accessKeyId: 'AKIA', secretAccessKey: 'secret', source: 'a test' };
  const transport = createHttpTransport({
    ...{ url: new URL(url), connections: 1, timeoutMs: () => 5_000 },
    authorize: createSigV4(
      endpoint,
      { current: async () => used, renew: async () => true },
      { now: Date.now, skew: () => got.length, learn: () => undefined },
    ),
  });
  t.after(transport.close);
  const answer = await transport.send({ ...put, body });
  assert.equal(answer.kind === 'answer' && answer.status, 200);
  assert.equal(got.length, 2);
  for (const { headers, body: received } of got) {
    assert.ok(received.equals(content));
    assert.equal(headers['content-length'], '3000000');
    assert.equal(headers['transfer-encoding'], undefined);
    const digest = createHash('sha256').update(content).digest('hex');
    assert.equal(headers['x-amz-content-sha256'], digest);
  }
});

test('a file that has gone is no answer, and the next request passes', async (t) => {
  const { url, got } = await startReceiver(t);
  const { body, path } = fileBody(t, Buffer.from('gone'));
  rmSync(path);
  const transport = createHttpTransport({
    ...{ url: new URL(url), connections: 1, timeoutMs: () => 5_000 },
  });
  t.after(transport.close);
  const answer = await transport.send({ ...put, body });
  assert.deepEqual(answer, { kind: 'no_answer', sent: true, cause: 'ENOENT' });
  assert.equal((await transport.send({ ...put, body: '{}' })).kind, 'answer');
  assert.equal(got.at(-1)?.body.toString(), '{}');
});

test('a file goes to a presigned URL with its length and the headers that belong to it', async (t) => {
  const { url, got } = await startReceiver(t);
  const content = randomBytes(100_000);
  const { body } = fileBody(t, content);
  const headers = { 'x-amz-meta': 'a' };
  assert.deepEqual(await uploadTo({ url: `${url}/p?X-Amz-Signature=s`, headers }, body), {
    kind: 'stored',
  });
  assert.ok(got[0]?.body.equals(content));
  assert.equal(got[0]?.headers['content-length'], '100000');
  assert.equal(got[0]?.headers['x-amz-meta'], 'a');
});
