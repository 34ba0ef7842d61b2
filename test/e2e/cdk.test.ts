import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { cdkApp } from '../support/cdk-app.ts';
import { filledIn as known, serviceContext } from '../support/cdk-service.ts';
import {
  type CloudTemplate,
  onlyResource,
  resolved,
  resourcesOf,
} from '../support/cloud-template.ts';
import { statementsIn } from '../support/iam-statements.ts';

const app = await cdkApp({ after: (end) => after(end) });
const server = (await app.synth()).template;
const anApp = (await app.synth({ kind: 'app', name: 'team-calls', prefix: 'teams/a' })).template;
const full = await app.synth({
  ...serviceContext,
  ...{ size: 'Large', mlflowVersion: '3.0.0', maintenanceWindow: 'Tue:03:30' },
  ...{ artifactDays: '90', archiveDays: '400', oldVersionDays: '9', brokenUploadDays: '2' },
  ...{ traces: 'true', operatorWrite: 'true', exec: 'true', bucketName: 'all-the-calls' },
});
const all: readonly CloudTemplate[] = [server, anApp, full.template];

/** A policy of `config/iam` with its words in capitals replaced. */
async function written(file: string, words: Readonly<Record<string, string>>): Promise<unknown> {
  const text = await readFile(`config/iam/${file}.json`, 'utf8');
  return JSON.parse(
    Object.entries(words).reduce((all, [from, to]) => all.replaceAll(from, to), text),
  );
}

const words = {
  BUCKET: 'the-bucket',
  REGION: 'eu-west-1',
  ACCOUNT: '123456789012',
  APP_ID: 'app-1',
  'mlflow-tracking-server/NAME': 'mlflow-tracking-server/llm-calls',
};
/** A policy as it comes out, with what CloudFormation would fill in. */
const granted = (template: CloudTemplate, id: string) =>
  resolved(template.Resources[id]?.Properties['PolicyDocument'], known);

test('the bucket is encrypted by S3, keeps versions, is closed to the public and outlives the stack', () => {
  for (const template of all) {
    const bucket = onlyResource(template, 'AWS::S3::Bucket');
    assert.deepEqual(bucket.Properties['BucketEncryption'], {
      ServerSideEncryptionConfiguration: [
        { ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } },
      ],
    });
    assert.deepEqual(bucket.Properties['VersioningConfiguration'], { Status: 'Enabled' });
    assert.deepEqual(bucket.Properties['PublicAccessBlockConfiguration'], {
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    });
    assert.deepEqual([bucket.DeletionPolicy, bucket.UpdateReplacePolicy], ['Retain', 'Retain']);
  }
});

test('what holds records outlives the stack, and a deployment that forgets a parameter', () => {
  for (const template of all) {
    const types = /^AWS::(S3::Bucket|S3::BucketPolicy|SageMaker::Mlflow(TrackingServer|App))$/;
    const holding = Object.entries(template.Resources)
      .filter(([id, { Type }]) => types.test(Type) || id === 'ExecutionRole')
      .map(([, resource]) => resource);
    assert.equal(holding.length, 4);
    for (const { Type, DeletionPolicy, UpdateReplacePolicy } of holding) {
      assert.deepEqual([DeletionPolicy, UpdateReplacePolicy], ['Retain', 'Retain'], Type);
    }
  }
});

test('whoever comes without TLS is denied everything', () => {
  for (const template of all) {
    const { Properties } = onlyResource(template, 'AWS::S3::BucketPolicy');
    const [plain, ...others] = statementsIn(Properties).filter(
      ({ Condition }) => JSON.stringify(Condition) === '{"Bool":{"aws:SecureTransport":"false"}}',
    );
    assert.deepEqual(others, []);
    assert.deepEqual([plain?.Effect, plain?.Action], ['Deny', 's3:*']);
    assert.deepEqual(plain?.Principal, { AWS: '*' });
    assert.deepEqual(resolved(plain?.Resource, known), [
      'arn:aws:s3:::the-bucket',
      'arn:aws:s3:::the-bucket/*',
    ]);
  }
});

const lifecycleOf = (template: CloudTemplate) =>
  onlyResource(template, 'AWS::S3::Bucket').Properties['LifecycleConfiguration'];

test('unless told, nothing is deleted but old versions, what is left of the deleted, and broken uploads', () => {
  assert.deepEqual(lifecycleOf(server), {
    Rules: [
      {
        Id: 'old-versions',
        Status: 'Enabled',
        NoncurrentVersionExpiration: { NoncurrentDays: 30 },
      },
      { Id: 'delete-markers', Status: 'Enabled', ExpiredObjectDeleteMarker: true },
      {
        Id: 'broken-uploads',
        Status: 'Enabled',
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
      },
    ],
  });
});

test('bodies go after the days that are given, those of runs and those of the archive each', () => {
  const rules = JSON.stringify(lifecycleOf(full.template));
  const rule = (id: string, prefix: string, days: number) =>
    JSON.stringify({ ExpirationInDays: days, Id: id, Prefix: prefix, Status: 'Enabled' });
  assert.ok(rules.includes(rule('artifacts', 'litellm/mlflow/', 90)), rules);
  assert.ok(rules.includes(rule('archive', 'litellm/calls/', 400)), rules);
  assert.match(rules, /"NoncurrentDays":9\b/);
  assert.match(rules, /"DaysAfterInitiation":2\b/);
});

test('a tracking server has the size, version and window that are given, and keeps artifacts in the bucket', () => {
  const type = 'AWS::SageMaker::MlflowTrackingServer';
  const common = {
    ArtifactStoreUri: 's3://the-bucket/litellm/mlflow',
    RoleArn: '<ExecutionRole.Arn>',
    TrackingServerName: 'llm-calls',
  };
  assert.deepEqual(resolved(onlyResource(server, type).Properties, known), {
    ...common,
    TrackingServerSize: 'Small',
  });
  assert.deepEqual(resolved(onlyResource(full.template, type).Properties, known), {
    ...common,
    TrackingServerSize: 'Large',
    MlflowVersion: '3.0.0',
    WeeklyMaintenanceWindowStart: 'Tue:03:30',
  });
  assert.deepEqual(resourcesOf(anApp, type), []);
});

test('an app takes the place of the server where it is asked for', () => {
  const { Properties } = onlyResource(anApp, 'AWS::SageMaker::MlflowApp');
  assert.deepEqual(resolved(Properties, known), {
    Name: 'team-calls',
    ArtifactStoreUri: 's3://the-bucket/teams/a/mlflow',
    RoleArn: '<ExecutionRole.Arn>',
  });
  assert.deepEqual(resourcesOf(server, 'AWS::SageMaker::MlflowApp'), []);
});

test('the sidecar may do what config/iam says, to the letter', async () => {
  assert.deepEqual(
    granted(server, 'SidecarPolicy'),
    await written('sidecar-tracking-server', { ...words, PREFIX: 'litellm' }),
  );
  assert.deepEqual(
    granted(anApp, 'SidecarPolicy'),
    await written('sidecar-app', { ...words, PREFIX: 'teams/a' }),
  );
  const [more] = statementsIn(await written('traces', words));
  assert.ok(more);
  assert.deepEqual(statementsIn(granted(full.template, 'SidecarPolicy')).at(-1), more);
});

test('an operator may do what config/iam says of the kind that there is', async () => {
  const of = async (left: RegExp) =>
    statementsIn(await written('operator', words)).filter(({ Sid }) => !left.test(Sid ?? ''));
  assert.equal((await of(/^$/)).length, 5);
  assert.deepEqual(statementsIn(granted(server, 'OperatorPolicy')), await of(/^OpenAnApp$/));
  assert.deepEqual(
    statementsIn(granted(anApp, 'OperatorPolicy')),
    await of(/^(StartAndStopTheServer|ReadWhatItShows)$/),
  );
  const more = statementsIn(await written('operator-write', words));
  assert.equal(more.length, 2);
  assert.deepEqual(statementsIn(granted(full.template, 'OperatorPolicy')).slice(-2), more);
});

test('the execution role is for SageMaker, of this account, and for the artifacts alone', async () => {
  const Properties = server.Resources['ExecutionRole']?.Properties ?? {};
  assert.deepEqual(
    resolved(Properties['AssumeRolePolicyDocument'], known),
    await written('execution-role-trust', words),
  );
  assert.deepEqual(resolved(Properties['Policies'], known), [
    {
      PolicyName: 'artifacts',
      PolicyDocument: await written('execution-role', { ...words, PREFIX: 'litellm/mlflow' }),
    },
  ]);
});

test('nothing is allowed by a pattern of actions, and hardly anything on all resources', () => {
  const onAll = new Set<string>();
  for (const template of all) {
    for (const { Effect, Action, Resource } of statementsIn(template)) {
      if (Effect === 'Deny') continue;
      for (const action of [Action].flat()) {
        assert.doesNotMatch(action, /\*/);
        if (Resource === '*') onAll.add(action);
      }
    }
  }
  // Actions that know no resource.
  assert.deepEqual([...onAll].sort(), [
    'ecr:GetAuthorizationToken',
    'sagemaker-mlflow:AccessUI',
    'sagemaker:ListMlflowApps',
    'sagemaker:ListMlflowTrackingServers',
    ...['CreateControl', 'CreateData', 'OpenControl', 'OpenData'].map(
      (channel) => `ssmmessages:${channel}Channel`,
    ),
  ]);
});
