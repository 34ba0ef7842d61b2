import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fromHttp } from '@aws-sdk/credential-providers';
import {
  type ContainerCredentialsOptions,
  startContainerCredentials,
} from './container-credentials.ts';

test('the SDK gets credentials as a container of ECS does', async (t) => {
  const endpoint = await start(t, { kind: 'ecs', lifetime: 900, now: () => 1_800_000_000_000 });
  const given = await fromHttp(endpointOf(endpoint.environment))();
  const known = endpoint.find(given.accessKeyId);
  assert.equal(given.secretAccessKey, known?.secretAccessKey);
  assert.equal(given.sessionToken, known?.sessionToken);
  assert.equal(given.expiration?.getTime(), 1_800_000_900_000);
  assert.equal(endpoint.handedOut, 1);
});

test('each fetch gets credentials of its own', async (t) => {
  const endpoint = await start(t, { kind: 'ecs' });
  const provide = fromHttp(endpointOf(endpoint.environment));
  const first = await provide();
  const second = await provide();
  assert.notEqual(first.accessKeyId, second.accessKeyId);
  assert.notEqual(first.sessionToken, second.sessionToken);
  assert.equal(endpoint.handedOut, 2);
});

test('a token in a file is read anew at each fetch, one in the environment cannot change', async (t) => {
  const pod = await start(t, { kind: 'pod-identity' });
  const inFile = fromHttp(endpointOf(pod.environment));
  await inFile();
  await pod.rotateToken();
  await inFile();
  assert.deepEqual([pod.handedOut, pod.turnedAway], [2, 0]);

  const task = await start(t, { kind: 'ecs' });
  const inEnvironment = fromHttp(endpointOf(task.environment));
  await task.rotateToken();
  await assert.rejects(inEnvironment());
  assert.deepEqual([task.handedOut, task.turnedAway], [0, 1]);
});

test('it fails on command, and recovers', async (t) => {
  const endpoint = await start(t, { kind: 'pod-identity' });
  const provide = fromHttp(endpointOf(endpoint.environment));
  endpoint.fail(500);
  await assert.rejects(provide());
  endpoint.fail(undefined);
  await provide();
  assert.equal(endpoint.handedOut, 1);
});

async function start(t: TestContext, options: ContainerCredentialsOptions) {
  const endpoint = await startContainerCredentials(options);
  t.after(endpoint.close);
  return endpoint;
}

/** The environment of a container as the options that the SDK reads from there, without its retries. */
function endpointOf(environment: Readonly<Record<string, string>>) {
  const token = environment['AWS_CONTAINER_AUTHORIZATION_TOKEN'];
  const file = environment['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'];
  return {
    awsContainerCredentialsFullUri: environment['AWS_CONTAINER_CREDENTIALS_FULL_URI'] ?? '',
    ...(token === undefined ? {} : { awsContainerAuthorizationToken: token }),
    ...(file === undefined ? {} : { awsContainerAuthorizationTokenFile: file }),
    maxRetries: 0,
  };
}
