import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { NoCredentialsError } from '../../src/aws/authorizer.ts';
import { type AwsCredentials, createCredentialSource } from '../../src/aws/credentials.ts';
import { errorName } from '../../src/aws/error-name.ts';
import { createServerClock } from '../../src/aws/server-clock.ts';
import { controlPlane, describeTrackingServer } from '../../src/aws/tracking-server.ts';
import { listenLocally } from '../support/listen-locally.ts';
import {
  type ControlPlaneOptions,
  startControlPlane,
} from '../support/sagemaker-control-plane/control-plane.ts';

const known = { secretAccessKey: 'secret', sessionToken: 'token', allowed: ['sagemaker:*'] };

/** A control plane that knows `FIRST` and `SECOND`, and somebody who has one after the other. */
async function start(t: TestContext, more: Partial<ControlPlaneOptions> = {}) {
  const plane = await startControlPlane({
    credentials: (id) => (id === 'FIRST' || id === 'SECOND' ? known : undefined),
    ...more,
  });
  t.after(plane.close);
  return { plane, describe: describerAt(plane.url) };
}

function describerAt(url: string, keys = ['FIRST', 'SECOND']) {
  const clock = createServerClock(Date.now);
  const credentials = createCredentialSource({
    fetch: async (): Promise<AwsCredentials> => {
      const accessKeyId = keys.shift();
      if (accessKeyId === undefined) throw new Error('no more');
      return { ...known, accessKeyId, source: 'a test' };
    },
    now: clock.now,
    random: Math.random,
  });
  return (name: string) =>
    describeTrackingServer(name, controlPlane('eu-west-1', url), credentials, clock);
}

/** What it was refused with. */
const nameOf = (asked: Promise<unknown>) => asked.then(() => 'nothing', errorName);

test('a tracking server is found by its name, with its size', async (t) => {
  const { plane, describe } = await start(t);
  const arn = plane.addTrackingServer('logs', { TrackingServerSize: 'Medium' });
  assert.deepEqual(await describe('logs'), { arn, size: 'Medium' });
  assert.deepEqual(
    plane.calls.map(({ operation, input }) => [operation, input]),
    [['DescribeMlflowTrackingServer', { TrackingServerName: 'logs' }]],
  );
});

test('what SageMaker refuses is told by its name', async (t) => {
  const { plane, describe } = await start(t);
  plane.addTrackingServer('logs');
  assert.equal(await nameOf(describe('other')), 'ResourceNotFound');
  plane.throttle();
  assert.equal(await nameOf(describe('logs')), 'ThrottlingException');
  plane.deny('DescribeMlflowTrackingServer');
  assert.equal(await nameOf(describe('logs')), 'AccessDeniedException');
});

test('credentials that have run out are renewed once', async (t) => {
  const { plane, describe } = await start(t);
  const arn = plane.addTrackingServer('logs');
  plane.expire('FIRST');
  assert.equal((await describe('logs')).arn, arn);
  assert.deepEqual(
    plane.calls.map(({ error }) => error),
    ['ExpiredTokenException', undefined],
  );
  plane.expire('SECOND');
  assert.equal(await nameOf(describe('logs')), 'ExpiredTokenException');
});

for (const hours of [-3, 3]) {
  test(`a clock that is ${hours} hours off is put right`, async (t) => {
    const { plane, describe } = await start(t, { now: () => Date.now() + hours * 3_600_000 });
    const arn = plane.addTrackingServer('logs');
    assert.equal((await describe('logs')).arn, arn);
    assert.equal((await describe('logs')).arn, arn);
    assert.deepEqual(
      plane.calls.map(({ error }) => error),
      ['InvalidSignatureException', undefined, undefined],
    );
  });
}

test('without credentials, or without a server, the reason is told', async (t) => {
  const local = await listenLocally(createServer());
  await local.close();
  assert.equal(await nameOf(describerAt(local.url)('logs')), 'ECONNREFUSED');
  await assert.rejects(describerAt(local.url, [])('logs'), NoCredentialsError);
  const { plane } = await start(t);
  assert.equal(
    await nameOf(describerAt(plane.url, ['UNKNOWN'])('logs')),
    'UnrecognizedClientException',
  );
});

test('an answer that is none of SageMaker names its status, or says what is absent', async (t) => {
  let status = 502;
  const server = createServer((_, response) => {
    response.writeHead(status).end(status === 200 ? '{}' : '<html>');
  });
  const local = await listenLocally(server);
  t.after(local.close);
  const describe = describerAt(local.url);
  assert.equal(await nameOf(describe('logs')), 'HTTP 502');
  status = 200;
  await assert.rejects(describe('logs'), /names no ARN/);
});

test('the control plane is asked where it is in both partitions', () => {
  assert.equal(
    controlPlane('eu-west-1').url.href,
    'https://api.sagemaker.eu-west-1.amazonaws.com/',
  );
  assert.equal(
    controlPlane('us-gov-west-1').url.href,
    'https://api.sagemaker.us-gov-west-1.amazonaws.com/',
  );
});
