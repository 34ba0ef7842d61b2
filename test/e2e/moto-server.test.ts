import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { fromInstanceMetadata, fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { mlflowReleases } from '../support/mlflow-releases.ts';
import { startMlflow } from '../support/mlflow-server.ts';
import { type MotoServer, startMoto } from '../support/moto-server.ts';
import { recordOf } from '../support/upstream-request.ts';

let moto: MotoServer;

before(
  async () => {
    moto = await startMoto();
    await moto.makeBucket('artifacts');
  },
  { timeout: 600_000 },
);

after(() => moto?.close());

test('S3 keeps objects', async () => {
  const Body = 'some text';
  await moto.s3.send(new PutObjectCommand({ Bucket: 'artifacts', Key: 'a/b c', Body }));
  await moto.s3.send(new PutObjectCommand({ Bucket: 'artifacts', Key: 'other', Body }));
  const found = await moto.objects('artifacts', 'a/');
  assert.deepEqual(
    [...found].map(([key, content]) => [key, content.toString()]),
    [['a/b c', Body]],
  );
});

test('STS gives credentials for a role, and what it gave can be looked up', async () => {
  const provide = fromTemporaryCredentials({
    masterCredentials: { accessKeyId: 'AKIAMASTER', secretAccessKey: 'm' },
    params: {
      RoleArn: 'arn:aws:iam::111122223333:role/sidecar',
      RoleSessionName: 'a-session',
      ExternalId: 'an-external-id',
      DurationSeconds: 900,
    },
    clientConfig: { region: 'eu-west-1', endpoint: moto.url },
  });
  const since = Date.now();
  const given = await provide();
  const [role] = await moto.assumedRoles();
  assert.deepEqual(role, {
    accessKeyId: given.accessKeyId,
    secretAccessKey: given.secretAccessKey,
    sessionToken: given.sessionToken,
    roleArn: 'arn:aws:iam::111122223333:role/sidecar',
    sessionName: 'a-session',
    externalId: 'an-external-id',
  });
  const seconds = ((given.expiration?.getTime() ?? 0) - since) / 1000;
  assert.ok(seconds > 890 && seconds < 910, `they hold for ${seconds} s`);
});

test('the instance metadata service gives credentials', async (t) => {
  const name = 'AWS_EC2_METADATA_SERVICE_ENDPOINT';
  process.env[name] = moto.environment[name];
  t.after(() => {
    delete process.env[name];
  });
  const { accessKeyId, sessionToken } = await fromInstanceMetadata()();
  assert.deepEqual([accessKeyId, sessionToken], ['test-key', 'test-session-token']);
});

for (const version of mlflowReleases()) {
  test(`MLflow ${version} lists and serves artifacts that a client has put on S3`, async (t) => {
    const mlflow = await startMlflow({
      version,
      artifactRoot: 's3://artifacts/mlflow',
      environment: moto.environment,
    });
    t.after(() => mlflow.close());
    assert.equal(await text(`${mlflow.url}/version`), version);
    const created = await post(`${mlflow.url}/api/2.0/mlflow/runs/create`, {
      experiment_id: '0',
      start_time: 1_800_000_000_000,
    });
    const { run_id: runId, artifact_uri: uri } = recordOf(recordOf(created['run'])['info']);
    assert.match(String(uri), /^s3:\/\/artifacts\/mlflow\/0\/[0-9a-f]{32}\/artifacts$/);
    const Key = `${String(uri).replace('s3://artifacts/', '')}/request.json`;
    await moto.s3.send(new PutObjectCommand({ Bucket: 'artifacts', Key, Body: '{}' }));

    const list = `${mlflow.url}/api/2.0/mlflow/artifacts/list?run_id=${runId}`;
    assert.match(await text(list), /"path": ?"request\.json"/);
    const served = `${mlflow.url}/get-artifact?run_uuid=${runId}&path=request.json`;
    assert.equal(await text(served), '{}');
  });
}

async function text(url: string): Promise<string> {
  return await (await fetch(url)).text();
}

async function post(url: string, body: object): Promise<Record<string, unknown>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return recordOf(await response.json());
}
