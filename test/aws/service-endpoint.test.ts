import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { serviceEndpoint } from '../../src/aws/service-endpoint.ts';

const own = 'http://127.0.0.1:1';
const forAll = 'http://127.0.0.1:2';

/** Each environment, and where S3 is by it. */
const environments: readonly (readonly [Record<string, string>, string | undefined])[] = [
  [{}, undefined],
  [{ AWS_ENDPOINT_URL_S3: own }, own],
  [{ AWS_ENDPOINT_URL: forAll }, forAll],
  [{ AWS_ENDPOINT_URL_S3: own, AWS_ENDPOINT_URL: forAll }, own],
  [{ AWS_ENDPOINT_URL_S3: '', AWS_ENDPOINT_URL: forAll }, forAll],
  [{ AWS_ENDPOINT_URL_S3: '', AWS_ENDPOINT_URL: '' }, undefined],
  [{ AWS_ENDPOINT_URL_SAGEMAKER: own }, undefined],
  [{ AWS_ENDPOINT_URL: forAll, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' }, undefined],
  [{ AWS_ENDPOINT_URL: forAll, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'false' }, forAll],
];

test("an endpoint is the one that Amazon's library takes by the same environment", async (t) => {
  const before = { ...process.env };
  t.after(() => {
    process.env = before;
  });
  for (const [environment, endpoint] of environments) {
    assert.equal(serviceEndpoint('S3', environment), endpoint, JSON.stringify(environment));
    process.env = { ...before, ...environment };
    const taken = endpoint ?? 'https://s3.eu-west-1.amazonaws.com';
    assert.equal(await askedByLibrary(), taken, JSON.stringify(environment));
  }
});

test('the endpoint of SageMaker has a variable of its own', () => {
  const both = { AWS_ENDPOINT_URL_SAGEMAKER: own, AWS_ENDPOINT_URL: forAll };
  assert.equal(serviceEndpoint('SAGEMAKER', both), own);
});

/** Where Amazon's library would send a request; none is sent. */
async function askedByLibrary(): Promise<string> {
  let asked = '';
  const client = new S3Client({
    region: 'eu-west-1',
    credentials: { accessKeyId: 'KEY', secretAccessKey: 'secret' },
    maxAttempts: 1,
    requestHandler: {
      handle: async ({ protocol, hostname, port }: Asked) => {
        asked = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
        throw new Error('It is known where to.');
      },
      updateHttpClientConfig: () => undefined,
      httpHandlerConfigs: () => ({}),
    },
  });
  await assert.rejects(client.send(new ListBucketsCommand({})), /It is known where to/);
  return asked;
}

interface Asked {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
}
