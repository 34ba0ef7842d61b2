import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import type { Refusal } from '../../src/aws/authorizer.ts';
import { createHttpTransport } from '../../src/mlflow/http-transport.ts';
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
