import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { sign } from '../../src/aws/sigv4.ts';
import { isLong } from '../crash/is-long.ts';
import {
  type AnySignedRequest,
  anySignedRequest,
  queryWriters,
} from '../support/any-signed-request.ts';
import { Sha256 } from '../support/sagemaker-edge/sha256.ts';

const anyQueryWriter = fc.constantFrom(...queryWriters);

test("a signature equals that of Amazon's signer for what is sent", async () => {
  await fc.assert(
    fc.asyncProperty(anySignedRequest, anyQueryWriter, async (any, write) => {
      const signed = signWithQuery(any, write(any.query));
      assert.equal(signed.headers['Authorization'], await amazonsAuthorization(any, signed));
    }),
    { numRuns: isLong ? 2_000 : 500 },
  );
});

test('what is sent says the same as what was to be signed', () => {
  fc.assert(
    fc.property(anySignedRequest, anyQueryWriter, (any, write) => {
      const { path, headers } = signWithQuery(any, write(any.query));
      const [sentPath = '', sentQuery = ''] = path.split('?');
      assert.equal(decodeURI(sentPath), decodeURI(any.request.path));
      const byName = ([one]: [string, string], [other]: [string, string]) =>
        one < other ? -1 : one > other ? 1 : 0;
      assert.deepEqual(
        [...new URLSearchParams(sentQuery)].sort(byName),
        any.query.toSorted(byName),
      );
      assert.match(path, /^[!-~]*$/);
      assert.doesNotMatch(sentQuery, /\+/, 'AWS takes it for a plus, MLflow for a blank');
      const { body = '', headers: given } = any.request;
      assert.partialDeepStrictEqual(headers, {
        ...given,
        ...any.endpoint.headers,
        host: any.endpoint.url.host,
        'x-amz-content-sha256': createHash('sha256').update(body).digest('hex'),
      });
      assert.equal(headers['X-Amz-Security-Token'], any.credentials.sessionToken);
    }),
    { numRuns: isLong ? 500 : 200 },
  );
});

function signWithQuery({ request, endpoint, credentials, now }: AnySignedRequest, query: string) {
  const path = query === '' ? request.path : `${request.path}?${query}`;
  return sign({ ...request, path }, endpoint, credentials, now);
}

/** Signs what was sent by the signer of Amazon's own clients. */
async function amazonsAuthorization(
  { request, endpoint, credentials, now }: AnySignedRequest,
  sent: ReturnType<typeof sign>,
): Promise<string | undefined> {
  const signer = new SignatureV4({
    service: endpoint.service,
    region: endpoint.region,
    credentials,
    sha256: Sha256,
  });
  const [path = '', written] = sent.path.split('?');
  const parameters = new Map<string, string[]>();
  for (const pair of written?.split('&') ?? []) {
    const [name = '', value = ''] = pair.split('=').map(decodeURIComponent);
    parameters.set(name, [...(parameters.get(name) ?? []), value]);
  }
  const {
    Authorization,
    'X-Amz-Date': date,
    'X-Amz-Security-Token': token,
    ...headers
  } = sent.headers;
  const signed = await signer.sign(
    {
      method: request.method,
      protocol: endpoint.url.protocol,
      hostname: endpoint.url.hostname,
      path,
      query: Object.fromEntries(parameters),
      headers,
      ...(request.body !== undefined && { body: request.body }),
    },
    { signingDate: new Date(now) },
  );
  return signed.headers['authorization'];
}
