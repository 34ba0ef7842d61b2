import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ConflictException,
  CreateMlflowAppCommand,
  CreateMlflowTrackingServerCommand,
  DeleteMlflowAppCommand,
  DeleteMlflowTrackingServerCommand,
  DescribeMlflowAppCommand,
  DescribeMlflowTrackingServerCommand,
  ResourceNotFound,
  StartMlflowTrackingServerCommand,
  StopMlflowTrackingServerCommand,
  UpdateMlflowAppCommand,
  UpdateMlflowTrackingServerCommand,
} from '@aws-sdk/client-sagemaker';
import {
  arn,
  minimum,
  startWithClient,
  TrackingServerName,
} from './sagemaker-control-plane/started.ts';

test('a tracking server is made, described, stopped, started, updated and deleted', async (t) => {
  const { plane, client, look } = await startWithClient(t);
  const made = await client.send(
    new CreateMlflowTrackingServerCommand({ ...minimum, TrackingServerName, Tags: [] }),
  );
  assert.equal(made.TrackingServerArn, arn);
  assert.deepEqual(await look(), ['Creating', 'Inactive']);
  plane.advance();
  assert.deepEqual(await look(), ['Created', 'Active']);

  await client.send(new StopMlflowTrackingServerCommand({ TrackingServerName }));
  assert.deepEqual(await look(), ['Stopping', 'Active']);
  plane.advance();
  assert.deepEqual(await look(), ['Stopped', 'Inactive']);
  await client.send(new StartMlflowTrackingServerCommand({ TrackingServerName }));
  assert.deepEqual(await look(), ['Starting', 'Inactive']);
  plane.advance();
  assert.deepEqual(await look(), ['Started', 'Active']);

  const update = { TrackingServerName, TrackingServerSize: 'Large' } as const;
  await client.send(new UpdateMlflowTrackingServerCommand(update));
  assert.deepEqual(await look(), ['Updating', 'Active']);
  plane.advance();
  const found = await client.send(new DescribeMlflowTrackingServerCommand({ TrackingServerName }));
  assert.equal(found.TrackingServerStatus, 'Updated');
  assert.equal(found.TrackingServerSize, 'Large');
  assert.equal(found.ArtifactStoreUri, minimum.ArtifactStoreUri);
  assert.equal(found.MlflowVersion, '3.0.0');
  assert.match(found.TrackingServerUrl ?? '', /^https:\/\/t-\w{12}\.eu-west-1\.experiments\./);
  assert.ok(found.CreationTime instanceof Date);

  await client.send(new DeleteMlflowTrackingServerCommand({ TrackingServerName }));
  assert.equal((await look())[0], 'Deleting');
  plane.advance();
  await assert.rejects(look(), ResourceNotFound);
});

test('an app is made, described, updated and deleted', async (t) => {
  const { plane, client } = await startWithClient(t, { mlflowVersion: '3.10.1' });
  const { Arn } = await client.send(new CreateMlflowAppCommand({ ...minimum, Name: 'calls' }));
  assert.match(Arn ?? '', /^arn:aws:sagemaker:eu-west-1:111122223333:mlflow-app\/app-\w{12}$/);
  const describe = () => client.send(new DescribeMlflowAppCommand({ Arn }));
  assert.equal((await describe()).Status, 'Creating');
  await assert.rejects(
    client.send(new UpdateMlflowAppCommand({ Arn, Name: 'other' })),
    ConflictException,
  );
  plane.advance();
  await client.send(new UpdateMlflowAppCommand({ Arn, Name: 'other' }));
  assert.equal((await describe()).Status, 'Updating');
  plane.advance();
  const { Name, Status, MlflowVersion } = await describe();
  assert.deepEqual([Name, Status, MlflowVersion], ['other', 'Updated', '3.10.1']);
  await client.send(new DeleteMlflowAppCommand({ Arn }));
  plane.advance();
  assert.equal((await describe()).Status, 'Deleted');
  await assert.rejects(client.send(new DeleteMlflowAppCommand({ Arn })), ResourceNotFound);
});

test('a tracking server that is on its way, or there, is a conflict', async (t) => {
  const { plane, client } = await startWithClient(t);
  plane.addTrackingServer(TrackingServerName);
  const stop = () => client.send(new StopMlflowTrackingServerCommand({ TrackingServerName }));
  const begin = () => client.send(new StartMlflowTrackingServerCommand({ TrackingServerName }));
  await assert.rejects(begin(), ConflictException);
  await stop();
  await assert.rejects(stop(), ConflictException);
  await assert.rejects(begin(), ConflictException);
  plane.advance();
  await assert.rejects(stop(), ConflictException);
  await begin();
  await assert.rejects(begin(), ConflictException);
});

test('what is being updated can be neither updated, stopped nor deleted', async (t) => {
  const { plane, client } = await startWithClient(t);
  plane.addTrackingServer(TrackingServerName);
  const update = { TrackingServerName, TrackingServerSize: 'Medium' } as const;
  await client.send(new UpdateMlflowTrackingServerCommand(update));
  await assert.rejects(
    client.send(new UpdateMlflowTrackingServerCommand(update)),
    ConflictException,
  );
  await assert.rejects(client.send(new StopMlflowTrackingServerCommand({ TrackingServerName })), {
    name: 'ValidationException',
    message: `Tracking Server with ARN ${arn} is currently in status UPDATING, can't be stopped.`,
  });
  await assert.rejects(client.send(new DeleteMlflowTrackingServerCommand({ TrackingServerName })), {
    name: 'ValidationException',
    message: 'Tracking Server is in un-deletable state (UPDATING), so it cannot be deleted.',
  });
});

test('changes of state fail on command and can be tried again', async (t) => {
  const { plane, client, look } = await startWithClient(t);
  plane.addTrackingServer(TrackingServerName);
  plane.fail('Stop');
  await client.send(new StopMlflowTrackingServerCommand({ TrackingServerName }));
  plane.advance();
  assert.deepEqual(await look(), ['StopFailed', 'Active']);
  await client.send(new StopMlflowTrackingServerCommand({ TrackingServerName }));
  plane.advance();
  assert.deepEqual(await look(), ['Stopped', 'Inactive']);
  plane.fail('Start');
  await client.send(new StartMlflowTrackingServerCommand({ TrackingServerName }));
  plane.advance();
  assert.deepEqual(await look(), ['StartFailed', 'Inactive']);
});

test('maintenance leaves a running server running', async (t) => {
  const { plane, client, look } = await startWithClient(t);
  plane.maintain(plane.addTrackingServer(TrackingServerName));
  assert.deepEqual(await look(), ['MaintenanceInProgress', 'Active']);
  await assert.rejects(client.send(new StopMlflowTrackingServerCommand({ TrackingServerName })), {
    name: 'ValidationException',
  });
  plane.fail('Maintain');
  plane.advance();
  assert.deepEqual(await look(), ['MaintenanceFailed', 'Active']);
  const found = await client.send(new DescribeMlflowTrackingServerCommand({ TrackingServerName }));
  assert.equal(found.TrackingServerMaintenanceStatus, 'MaintenanceFailed');
});

test('changes of state end by its clock where they are to', async (t) => {
  let now = Date.now();
  const { plane, client, look } = await startWithClient(t, { now: () => now, changeMs: 60_000 });
  plane.addTrackingServer(TrackingServerName);
  await client.send(new StopMlflowTrackingServerCommand({ TrackingServerName }));
  now += 59_999;
  assert.equal((await look())[0], 'Stopping');
  now += 1;
  assert.equal((await look())[0], 'Stopped');
});
