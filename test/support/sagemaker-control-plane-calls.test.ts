import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateMlflowTrackingServerCommand,
  CreatePresignedMlflowAppUrlCommand,
  CreatePresignedMlflowTrackingServerUrlCommand,
  DescribeMlflowAppCommand,
  ListMlflowAppsCommand,
  ListMlflowTrackingServersCommand,
  paginateListMlflowApps,
  paginateListMlflowTrackingServers,
  ResourceLimitExceeded,
  SageMakerServiceException,
  StopMlflowTrackingServerCommand,
} from '@aws-sdk/client-sagemaker';
import {
  arn,
  minimum,
  newClient,
  startWithClient,
  TrackingServerName,
} from './sagemaker-control-plane/started.ts';

test('values that the model excludes are refused in the words of AWS', async (t) => {
  const { plane, client } = await startWithClient(t);
  plane.addTrackingServer(TrackingServerName);
  const Arn = plane.addApp('calls');
  const create = { ...minimum, TrackingServerName: 'other' };
  const cases: readonly (readonly [() => Promise<unknown>, RegExp])[] = [
    [
      () =>
        client.send(
          new CreatePresignedMlflowTrackingServerUrlCommand({
            TrackingServerName,
            ExpiresInSeconds: 1800,
          }),
        ),
      /^1 validation error detected: Value '1800' at 'expiresInSeconds' failed to satisfy constraint: Member must have value less than or equal to 300$/,
    ],
    [
      () => client.send(new CreatePresignedMlflowAppUrlCommand({ Arn, ExpiresInSeconds: 4 })),
      /Value '4' at 'expiresInSeconds' .* greater than or equal to 5$/,
    ],
    [
      () =>
        client.send(
          new CreatePresignedMlflowAppUrlCommand({ Arn, SessionExpirationDurationInSeconds: 1799 }),
        ),
      /'sessionExpirationDurationInSeconds' .* greater than or equal to 1800$/,
    ],
    [
      () =>
        client.send(
          new CreateMlflowTrackingServerCommand({
            ...create,
            WeeklyMaintenanceWindowStart: 'TUE:03:30',
          }),
        ),
      /'TUE:03:30' at 'weeklyMaintenanceWindowStart' .* regular expression pattern/,
    ],
    [
      () =>
        client.send(
          new CreateMlflowTrackingServerCommand({
            ...create,
            TrackingServerName: 'with_underscore',
          }),
        ),
      /'with_underscore' at 'trackingServerName'/,
    ],
    [
      () =>
        client.send(
          new CreateMlflowTrackingServerCommand({
            ...create,
            // @ts-expect-error A size that does not exist.
            TrackingServerSize: 'Huge',
          }),
        ),
      /'Huge' at 'trackingServerSize' .* enum value set: \[Small, Medium, Large\]$/,
    ],
    [
      () =>
        client.send(
          new CreateMlflowTrackingServerCommand({
            ...create,
            Tags: Array.from({ length: 51 }, (_, index) => ({ Key: `k${index}`, Value: '' })),
          }),
        ),
      /at 'tags' .* length less than or equal to 50$/,
    ],
    [
      // @ts-expect-error Two members that have to be there.
      () => client.send(new CreateMlflowTrackingServerCommand({ TrackingServerName: 'other' })),
      /^2 validation errors detected: Value null at 'artifactStoreUri' .*; Value null at 'roleArn'/,
    ],
    [
      () => client.send(new DescribeMlflowAppCommand({ Arn: arn })),
      /at 'arn' failed to satisfy constraint: Member must satisfy regular expression pattern/,
    ],
    [() => client.send(new ListMlflowAppsCommand({ MaxResults: 101 })), /equal to 100$/],
  ];
  for (const [call, message] of cases) {
    await assert.rejects(call(), { name: 'ValidationException', message });
  }
});

test('presigned URLs are given out with the real defaults', async (t) => {
  const { plane, client } = await startWithClient(t);
  plane.addTrackingServer(TrackingServerName);
  const Arn = plane.addApp('calls');
  const one = await client.send(
    new CreatePresignedMlflowTrackingServerUrlCommand({ TrackingServerName }),
  );
  assert.match(
    one.AuthorizedUrl ?? '',
    /^https:\/\/t-\w{12}\.eu-west-1\.experiments\.sagemaker\.aws\/auth\?authToken=[\w-]+\.[\w-]+\.[\w-]+$/,
  );
  const two = await client.send(
    new CreatePresignedMlflowAppUrlCommand({
      Arn,
      ExpiresInSeconds: 5,
      SessionExpirationDurationInSeconds: 1800,
    }),
  );
  assert.match(
    two.AuthorizedUrl ?? '',
    /^https:\/\/app-\w{12}\.mlflow\.sagemaker\.eu-west-1\.app\.aws/,
  );
  assert.deepEqual(
    plane.presigned.map(({ expiresInSeconds, sessionSeconds }) => [
      expiresInSeconds,
      sessionSeconds,
    ]),
    [
      [300, 43_200],
      [5, 1800],
    ],
  );
});

test('lists come in pages, filtered and sorted', async (t) => {
  let now = Date.UTC(2026, 0, 1);
  const { plane, client } = await startWithClient(t, {
    now: () => now,
    systemClockOffset: () => now - Date.now(),
  });
  for (let index = 0; index < 23; index += 1) {
    now += 1000;
    plane.addTrackingServer(`server-${String(index).padStart(2, '0')}`);
    plane.addApp(`app-${index}`);
  }
  const names: (string | undefined)[] = [];
  let pages = 0;
  for await (const page of paginateListMlflowTrackingServers({ client }, {})) {
    pages += 1;
    names.push(...(page.TrackingServerSummaries ?? []).map((each) => each.TrackingServerName));
  }
  assert.equal(pages, 3);
  assert.equal(new Set(names).size, 23);
  assert.deepEqual([names[0], names[22]], ['server-22', 'server-00']);

  const apps: unknown[] = [];
  for await (const page of paginateListMlflowApps(
    { client, pageSize: 23 },
    { SortOrder: 'Ascending' },
  )) {
    apps.push(...(page.Summaries ?? []).map((each) => each.Name));
  }
  assert.deepEqual([apps.length, apps[0]], [23, 'app-0']);

  await client.send(new StopMlflowTrackingServerCommand({ TrackingServerName: 'server-07' }));
  plane.advance();
  const stopped = await client.send(
    new ListMlflowTrackingServersCommand({ TrackingServerStatus: 'Stopped' }),
  );
  assert.deepEqual(
    stopped.TrackingServerSummaries?.map((each) => [each.TrackingServerName, each.IsActive]),
    [['server-07', 'Inactive']],
  );
  await assert.rejects(client.send(new ListMlflowAppsCommand({ NextToken: 'made up' })), {
    name: 'ValidationException',
  });
});

test('throttling, a full account and missing permissions come on command', async (t) => {
  const { plane, client, look } = await startWithClient(t);
  plane.addTrackingServer(TrackingServerName);
  plane.throttle(2);
  for (const _ of [1, 2]) {
    await assert.rejects(look(), (error) => {
      assert.ok(error instanceof SageMakerServiceException);
      assert.equal(error.name, 'ThrottlingException');
      return error.$metadata.httpStatusCode === 400;
    });
  }
  await look();

  plane.failNext('CreateMlflowTrackingServer', 'ResourceLimitExceeded', 'No more than 1.');
  const create = new CreateMlflowTrackingServerCommand({ ...minimum, TrackingServerName: 'b' });
  await assert.rejects(client.send(create), (error) => {
    assert.ok(error instanceof ResourceLimitExceeded);
    return error.message === 'No more than 1.';
  });

  plane.deny('DescribeMlflowTrackingServer');
  await assert.rejects(look(), {
    name: 'AccessDeniedException',
    message: /is not authorized to perform: sagemaker:DescribeMlflowTrackingServer/,
  });
  plane.allow('DescribeMlflowTrackingServer');
  await look();
  assert.deepEqual(
    plane.calls.map(({ error }) => error),
    ['ThrottlingException', 'ThrottlingException', undefined, 'ResourceLimitExceeded'].concat([
      'AccessDeniedException',
      undefined,
    ]),
  );
});

test('who cannot sign is refused', async (t) => {
  const { plane, client } = await startWithClient(t);
  const wrong = { accessKeyId: 'ASIAOPERATOR', secretAccessKey: 'other', sessionToken: 't' };
  const list = new ListMlflowAppsCommand({});
  const other = newClient(t, plane.url, { credentials: wrong });
  await assert.rejects(other.send(list), { name: 'InvalidSignatureException' });
  const elsewhere = newClient(t, plane.url, { region: 'us-east-1' });
  await assert.rejects(elsewhere.send(list), { name: 'InvalidSignatureException' });
  plane.expire('ASIAOPERATOR');
  await assert.rejects(client.send(list), { name: 'ExpiredTokenException' });
});
