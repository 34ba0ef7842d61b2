import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { NoCredentialsError } from '../../src/aws/authorizer.ts';
import { type AwsCredentials, createCredentialSource } from '../../src/aws/credentials.ts';
import { createS3, type S3Options } from '../../src/aws/s3.ts';
import { fileBody } from '../support/file-body.ts';
import { listenLocally } from '../support/listen-locally.ts';
import { startSmallS3 } from '../support/small-s3.ts';

const megabyte = 1024 * 1024;
const object = {
  bucket: 'artifacts',
  key: 'mlflow/1/run/artifacts/call é.json',
  contentType: 'application/json',
};
const place = '/artifacts/mlflow/1/run/artifacts/call%20%C3%A9.json';
/** Its CRC-32 is `Vhusrw==` in base64. */
const small = { ...object, body: Buffer.from('{"a":1}') };

async function start(t: TestContext, more: Partial<S3Options> = {}) {
  const s3 = await startSmallS3(t);
  return { s3, ...storeAt(t, s3.url, more) };
}

function storeAt(t: TestContext, url: string, more: Partial<S3Options> = {}) {
  const before = process.env['AWS_ENDPOINT_URL_S3'];
  process.env['AWS_ENDPOINT_URL_S3'] = url;
  let fetches = 0;
  const credentials = createCredentialSource({
    fetch: async (): Promise<AwsCredentials> => {
      fetches += 1;
      return {
        accessKeyId: `ASIA${fetches}`,
        secretAccessKey: 'secret',
        sessionToken: `token ${fetches}`,
        source: 'a test',
      };
    },
    now: Date.now,
    random: Math.random,
  });
  const store = createS3({ region: 'eu-west-1', credentials, hasOwnEndpoint: true, ...more });
  t.after(() => {
    store.close();
    if (before === undefined) delete process.env['AWS_ENDPOINT_URL_S3'];
    else process.env['AWS_ENDPOINT_URL_S3'] = before;
  });
  return { store, fetches: () => fetches };
}

test('an object is stored by one request, with its type, a checksum and the session token', async (t) => {
  const { s3, store } = await start(t);
  assert.deepEqual(await store.put(small), { kind: 'stored' });
  assert.deepEqual(s3.objects, new Map([[place, small.body]]));
  assert.equal(s3.requests.length, 1);
  const { headers } = s3.requests[0] ?? {};
  assert.equal(headers?.['content-type'], 'application/json');
  assert.equal(headers?.['x-amz-checksum-crc32'], 'Vhusrw==');
  assert.equal(headers?.['x-amz-security-token'], 'token 1');
  assert.equal(headers?.['x-amz-server-side-encryption'], undefined, 'as the bucket has it');
});

test('a KMS key is named for objects and for uploads in parts', async (t) => {
  const { s3, store } = await start(t, { kmsKeyId: 'a-key' });
  await store.put(small);
  await store.put({ ...object, body: Buffer.alloc(9 * megabyte) });
  const begun = [/^PUT [^?]+\?x-id=PutObject$/, /^POST .*\?uploads/];
  for (const form of begun) {
    const headers = s3.requests.find(({ what }) => form.test(what))?.headers;
    assert.equal(headers?.['x-amz-server-side-encryption'], 'aws:kms', String(form));
    assert.equal(headers?.['x-amz-server-side-encryption-aws-kms-key-id'], 'a-key');
  }
});

test('a large object goes in parts of 8 MB, each with a checksum', async (t) => {
  const { s3, store } = await start(t);
  const body = Buffer.alloc(20 * megabyte, 'abc');
  assert.deepEqual(await store.put({ ...object, body }), { kind: 'stored' });
  assert.ok(s3.objects.get(place)?.equals(body));
  assert.equal(s3.uploads.size, 0);
  const parts = s3.requests.filter(({ what }) => what.startsWith('PUT'));
  assert.deepEqual(
    parts.map(({ headers }) => Number(headers['content-length']) / megabyte),
    [8, 8, 4],
  );
  assert.ok(parts.every(({ headers }) => headers['x-amz-checksum-crc32'] !== undefined));
});

for (const [what, length] of [
  ['a small file', 1_000],
  ['a file of 20 MB', 20 * megabyte],
] as const) {
  test(`${what} is read from the disk as it is sent, and again when it is sent again`, async (t) => {
    const { s3, store, fetches } = await start(t);
    const content = Buffer.alloc(length, 'abcdefghijk');
    const { body, opened } = fileBody(t, content);
    s3.fault = ({ headers }) =>
      headers['x-amz-security-token'] === 'token 1'
        ? { status: 400, code: 'ExpiredToken' }
        : undefined;
    assert.deepEqual(await store.put({ ...object, body }), { kind: 'stored' });
    assert.ok(s3.objects.get(place)?.equals(content));
    assert.deepEqual([opened(), fetches(), s3.uploads.size], [2, 2, 0]);
    const sent = s3.requests.filter(({ what }) => what.startsWith('PUT'));
    assert.ok(sent.every(({ headers }) => headers['x-amz-checksum-crc32'] !== undefined));
  });
}

test('a file that has gone fails its upload by the code of the disk', async (t) => {
  const { store } = await start(t);
  const { body, path } = fileBody(t, Buffer.from('gone'));
  rmSync(path);
  assert.deepEqual(await store.put({ ...object, body }), { kind: 'failed', name: 'ENOENT' });
});

test('where a part is refused the whole upload is given up, and nothing is left of it', async (t) => {
  const { s3, store } = await start(t);
  s3.fault = ({ what }) =>
    what.includes('partNumber=2') ? { status: 403, code: 'AccessDenied' } : undefined;
  const result = await store.put({ ...object, body: Buffer.alloc(20 * megabyte) });
  assert.deepEqual(result, { kind: 'refused', status: 403, name: 'AccessDenied' });
  assert.deepEqual([s3.uploads.size, s3.objects.size], [0, 0]);
});

test('what S3 says against an upload is told by its code', async (t) => {
  const { s3, store, fetches } = await start(t);
  for (const [status, code] of [
    [403, 'AccessDenied'],
    [404, 'NoSuchBucket'],
    [400, 'EntityTooLarge'],
    [403, 'KMS.DisabledException'],
  ] as const) {
    s3.fault = () => ({ status, code });
    assert.deepEqual(await store.put(small), { kind: 'refused', status, name: code });
  }
  assert.equal(fetches(), 1, 'none of them is a matter of credentials');
});

for (const code of ['ExpiredToken', 'InvalidAccessKeyId', 'InvalidToken']) {
  test(`credentials that S3 refuses (${code}) are renewed, and the upload is tried once more`, async (t) => {
    const { s3, store, fetches } = await start(t);
    s3.fault = ({ headers }) =>
      headers['x-amz-security-token'] === 'token 1' ? { status: 400, code } : undefined;
    assert.deepEqual(await store.put(small), { kind: 'stored' });
    assert.equal(fetches(), 2);

    s3.fault = () => ({ status: 400, code });
    s3.requests.length = 0;
    assert.deepEqual(await store.put(small), { kind: 'refused', status: 400, name: code });
    assert.deepEqual([fetches(), s3.requests.length], [3, 2], 'no more than once');
  });
}

test('a server that fails for a moment costs no upload', async (t) => {
  const { s3, store } = await start(t);
  s3.fault = () => (s3.requests.length === 1 ? { status: 500, code: 'InternalError' } : undefined);
  assert.deepEqual(await store.put(small), { kind: 'stored' });
  assert.equal(s3.requests.length, 2);
});

test('where nothing listens the code of the failed connection is told', async (t) => {
  const local = await listenLocally(createServer());
  await local.close();
  const { store } = storeAt(t, local.url);
  assert.deepEqual(await store.put(small), { kind: 'failed', name: 'ECONNREFUSED' });
});

test('a server that does not answer is given up', async (t) => {
  const timeouts = { connectionTimeout: 1_000, socketTimeout: 50 };
  const { s3, store } = await start(t, { timeouts });
  s3.fault = () => 'silence';
  assert.deepEqual(await store.put(small), { kind: 'failed', name: 'TimeoutError' });
});

test('without credentials the reason is told', async (t) => {
  const credentials = {
    current: async () => {
      throw new NoCredentialsError('CredentialsProviderError');
    },
    renew: async () => false,
  };
  const { s3, store } = await start(t, { credentials });
  assert.deepEqual(await store.put(small), {
    kind: 'failed',
    name: 'NoCredentialsError: CredentialsProviderError',
  });
  assert.equal(s3.requests.length, 0);
});
