import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AuthorizedRequest, NoCredentialsError } from '../../src/aws/authorizer.ts';
import { type AwsCredentials, createCredentialSource } from '../../src/aws/credentials.ts';
import { createServerClock } from '../../src/aws/server-clock.ts';
import { createSigV4 } from '../../src/aws/sigv4.ts';

const now = Date.UTC(2026, 10, 24, 12);
const hour = 3_600_000;
const request = { method: 'GET', path: '/api', headers: {} };
const endpoint = {
  url: new URL('https://mlflow.example'),
  region: 'eu-west-1',
  service: 'sagemaker-mlflow',
  headers: {},
};
const expired = JSON.stringify({ __type: 'ExpiredTokenException', message: 'expired' });
const denied = JSON.stringify({ __type: 'AccessDeniedException', message: 'not authorized' });

/** An authorizer whose credentials are these, one after the other, the last one for ever. */
function setUp(...keys: string[]) {
  let fetches = 0;
  const credentials = createCredentialSource({
    fetch: async (): Promise<AwsCredentials> => {
      const accessKeyId = keys[Math.min(fetches, keys.length - 1)];
      fetches += 1;
      if (accessKeyId === undefined) throw new Error('none');
      return { accessKeyId, secretAccessKey: 'secret', source: 'a test' };
    },
    now: () => now,
    random: () => 0,
  });
  const clock = createServerClock(() => now);
  return {
    authorize: createSigV4(endpoint, credentials, clock),
    clock,
    fetches: () => fetches,
  };
}

const keyOf = ({ headers }: AuthorizedRequest) =>
  /Credential=(\w+)/.exec(headers['Authorization'] ?? '')?.[1];
const dateOf = ({ headers }: AuthorizedRequest) => headers['X-Amz-Date'];
const dateAt = (time: number) => new Date(time).toUTCString();

for (const text of [
  expired,
  '{"__type":"UnrecognizedClientException"}',
  '<Code>InvalidClientTokenId</Code>',
  'The security token included in the request is expired',
  'The security token included in the request is invalid.',
]) {
  test(`credentials are renewed once for all requests that were refused so: ${text}`, async () => {
    const { authorize, fetches } = setUp('FIRST', 'SECOND');
    const sent = [await authorize(request), await authorize(request), await authorize(request)];
    const refused = sent.map((one) => one.refused({ status: 403, text }));
    assert.deepEqual(await Promise.all(refused), [true, true, true]);
    assert.equal(keyOf(await authorize(request)), 'SECOND');
    assert.equal(await sent[0]?.refused({ status: 403, text }), true, 'there are others by now');
    assert.equal(fetches(), 2);
  });
}

test('what is fetched anew but the same is not tried again', async () => {
  const { authorize, fetches } = setUp('ONLY');
  const sent = await authorize(request);
  assert.equal(await sent.refused({ status: 403, text: expired }), false);
  assert.equal(fetches(), 2);
});

test('a refusal for other reasons is not worth another try', async () => {
  const { authorize, fetches } = setUp('FIRST', 'SECOND');
  const sent = await authorize(request);
  for (const refusal of [
    { status: 403, text: denied, date: dateAt(now) },
    { status: 404, text: expired },
    { status: 500, text: expired },
    { status: 429, text: 'Rate exceeded', date: dateAt(now + hour) },
  ]) {
    assert.equal(await sent.refused(refusal), false);
  }
  assert.equal(fetches(), 1);
});

test('what MLflow itself answers says nothing of credentials or clock, whatever it quotes', async () => {
  const { authorize, clock, fetches } = setUp('FIRST', 'SECOND');
  const sent = await authorize(request);
  const text = JSON.stringify({ error_code: 'INVALID_PARAMETER_VALUE', message: expired });
  assert.equal(await sent.refused({ status: 400, text, date: dateAt(now + hour) }), false);
  assert.deepEqual([clock.skew(), fetches()], [0, 1]);
});

test('every request that was signed by a wrong clock is tried again by the right one', async () => {
  const { authorize, fetches } = setUp('FIRST', 'SECOND');
  const sent = [await authorize(request), await authorize(request)];
  assert.equal(sent[0] && dateOf(sent[0]), '20261124T120000Z');
  const text = '{"__type":"InvalidSignatureException","message":"Signature expired: ..."}';
  for (const one of sent) {
    assert.equal(await one.refused({ status: 403, text, date: dateAt(now + hour) }), true);
  }
  const again = await authorize(request);
  assert.equal(dateOf(again), '20261124T130000Z');
  assert.equal(await again.refused({ status: 403, text, date: dateAt(now + hour) }), false);
  assert.equal(fetches(), 1);
});

test('each try is signed anew', async () => {
  const { authorize, clock } = setUp('FIRST');
  const first = await authorize(request);
  clock.learn(dateAt(now + hour));
  const second = await authorize(request);
  assert.notEqual(first.headers['Authorization'], second.headers['Authorization']);
});

test('without credentials nothing is signed', async () => {
  const { authorize } = setUp();
  await assert.rejects(authorize(request), NoCredentialsError);
});
