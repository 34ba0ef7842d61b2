import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import fc from 'fast-check';
import { sign } from '../../src/aws/sigv4.ts';
import { type AnySignedRequest, anySignedRequest } from '../support/any-signed-request.ts';
import { pythonEnv } from '../support/python-env.ts';
import { pluginPins } from '../support/sagemaker-plugin.ts';
import { serverEnvironment } from '../support/server-environment.ts';

test("any request's signature equals that of Amazon's own plugin", {
  timeout: 600_000,
}, async (t) => {
  const plugin = await pythonEnv(pluginPins);
  const signer = spawn(plugin.python, ['test/support/sagemaker_signer.py'], {
    env: serverEnvironment(plugin, {}),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => signer.kill());
  // Where it has ended, its output says so.
  signer.stdin.on('error', () => undefined);
  const answers = createInterface(signer.stdout)[Symbol.asyncIterator]();
  const askPlugin = async (
    any: AnySignedRequest,
  ): Promise<{ authorization: string; hash: string }> => {
    signer.stdin.write(`${JSON.stringify(caseOf(any))}\n`);
    const { value, done } = await answers.next();
    assert.ok(done !== true, 'the plugin ended');
    return JSON.parse(value);
  };

  await fc.assert(
    fc.asyncProperty(anySignedRequest.map(withoutPlus), async (any) => {
      const { request, endpoint, credentials, now } = any;
      const query = new URLSearchParams(any.query).toString();
      const path = query === '' ? request.path : `${request.path}?${query}`;
      const { headers } = sign({ ...request, path }, endpoint, credentials, now);
      const { authorization, hash } = await askPlugin(any);
      assert.equal(headers['Authorization'], authorization);
      assert.equal(headers['x-amz-content-sha256'], hash);
    }),
    { numRuns: 500 },
  );
});

/** The plugin takes a plus for a blank in a path, too, where it is none, and asks for another path then. */
function withoutPlus({ request, ...any }: AnySignedRequest): AnySignedRequest {
  return { request: { ...request, path: request.path.replaceAll('+', '%2B') }, ...any };
}

function caseOf({ request, query, endpoint, credentials, now }: AnySignedRequest) {
  return {
    method: request.method,
    origin: endpoint.url.origin,
    path: request.path,
    query,
    headers: { ...request.headers, ...endpoint.headers },
    body: request.body,
    region: endpoint.region,
    service: endpoint.service,
    ...credentials,
    now,
  };
}
