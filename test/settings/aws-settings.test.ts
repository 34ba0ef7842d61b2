import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { stringify } from 'yaml';
import type { Environment } from '../../src/settings/environment.ts';
import { loadSettings } from '../../src/settings/load-settings.ts';
import { tempFolder } from '../support/temp-folder.ts';

function read(t: TestContext, content: object, environment: Environment = {}) {
  const file = join(tempFolder(t), 'sidecar.yaml');
  writeFileSync(file, stringify(content));
  return loadSettings({ SIDECAR_CONFIG: file, ...environment });
}

/** What is wrong with them. */
function problemsOf(t: TestContext, content: object, environment: Environment = {}) {
  const loaded = read(t, content, environment);
  assert.ok(loaded.kind === 'invalid', JSON.stringify(loaded));
  return loaded.problems;
}

function load(t: TestContext, content: object, environment: Environment = {}) {
  const loaded = read(t, content, environment);
  assert.ok(loaded.kind === 'valid', JSON.stringify(loaded));
  return loaded;
}

const server = 'arn:aws:sagemaker:eu-west-1:111122223333:mlflow-tracking-server/logs';
const app = 'arn:aws:sagemaker:eu-west-1:111122223333:mlflow-app/app-7BMBBX3TS2CZ';
const url = 'http://127.0.0.1:5000';
const role = (name: string) => `arn:aws:iam::111122223333:role/${name}`;

const list = [{ roleArn: role('first') }, { roleArn: role('last'), externalId: 'an-id' }];

test('a role from the environment that the list of the file ends in leaves the list', (t) => {
  const { settings, warnings } = load(
    t,
    { aws: { assumeRole: list } },
    { SAGEMAKER_MLFLOW_ASSUME_ROLE_ARN: role('last') },
  );
  assert.partialDeepStrictEqual(settings.aws.assumeRole, list);
  assert.deepEqual(warnings, []);
});

for (const name of ['first', 'other']) {
  test(`a role from the environment that is not the last of the file replaces it: ${name}`, (t) => {
    const { settings, warnings } = load(
      t,
      { aws: { assumeRole: list } },
      { SAGEMAKER_MLFLOW_ASSUME_ROLE_ARN: role(name) },
    );
    assert.deepEqual(
      settings.aws.assumeRole.map(({ roleArn }) => roleArn),
      [role(name)],
    );
    assert.match(warnings.join(), /^SAGEMAKER_MLFLOW_ASSUME_ROLE_ARN replaces the list/);
  });
}

test('a role from the environment alone is worth no warning', (t) => {
  for (const content of [{}, { aws: { assumeRole: [] } }]) {
    const { settings, warnings } = load(t, content, {
      SAGEMAKER_MLFLOW_ASSUME_ROLE_ARN: role('only'),
    });
    assert.deepEqual([settings.aws.assumeRole[0]?.roleArn, warnings], [role('only'), []]);
  }
});

test('a list of roles from the environment is taken as it is, before that of the file and a single role', (t) => {
  const given = [{ roleArn: role('given'), externalId: 'its-id' }, { roleArn: role('last') }];
  const { settings, warnings } = load(
    t,
    { aws: { assumeRole: list } },
    {
      SIDECAR_AWS_ASSUME_ROLE: JSON.stringify(given),
      SAGEMAKER_MLFLOW_ASSUME_ROLE_ARN: role('other'),
    },
  );
  assert.partialDeepStrictEqual(settings.aws.assumeRole, given);
  assert.deepEqual([settings.aws.assumeRole.length, warnings], [2, []]);
});

const unused: readonly (readonly [content: object, warning: RegExp | undefined])[] = [
  [{ artifacts: { kmsKeyId: 'key', upload: 'presigned' } }, /^artifacts\.kmsKeyId is not used/],
  [{ artifacts: { kmsKeyId: 'key' } }, undefined],
  [{ aws: { mlflowEndpoint: url } }, /^aws\.mlflowEndpoint is not used/],
  [{ aws: { mlflowEndpoint: url }, destination: { trackingUri: server } }, undefined],
  [
    { destination: { trackingUri: url, trackingServerName: 'logs' } },
    /^destination\.trackingServerName is not used/,
  ],
  [
    { destination: { trackingUri: app, trackingServerName: 'logs' } },
    /^destination\.trackingServerName is not used/,
  ],
  [{ destination: { trackingUri: server, trackingServerName: 'logs' } }, undefined],
  [
    {
      destination: { trackingServerName: 'logs' },
      aws: { region: 'eu-west-1', mlflowEndpoint: url },
    },
    undefined,
  ],
];

for (const [content, warning] of unused) {
  test(`${JSON.stringify(content)} is worth ${warning ? 'a' : 'no'} warning`, (t) => {
    const { warnings } = load(t, content);
    assert.equal(warnings.length, warning ? 1 : 0);
    if (warning) assert.match(warnings[0] ?? '', warning);
  });
}

for (const region of ['minio', 'None', 'eu_1']) {
  test(`the region ${region} is as good as any, but where a tracking server is looked up in it`, (t) => {
    assert.equal(load(t, {}, { AWS_REGION: region }).settings.aws.region, region);
    const named = { AWS_REGION: region, MLFLOW_TRACKING_SERVER_NAME: 'logs' };
    const [problem, ...others] = problemsOf(t, {}, named);
    assert.deepEqual([problem?.path, problem?.value, others], ['aws.region', `"${region}"`, []]);
  });
}

for (const region of ['cn-north-1', 'us-iso-east-1', 'us-isob-east-1', 'eusc-de-east-1']) {
  test(`a tracking server is not looked up in ${region}, where no MLflow is known`, (t) => {
    const named = { AWS_REGION: region, MLFLOW_TRACKING_SERVER_NAME: 'logs' };
    const [problem, ...others] = problemsOf(t, {}, named);
    assert.deepEqual([problem?.path, problem?.value, others], ['aws.region', `"${region}"`, []]);
    assert.match(problem?.allowed ?? '', /^a region of the partitions aws or aws-us-gov/);
  });
}

test('a tracking server that is named needs a region', (t) => {
  const named = { MLFLOW_TRACKING_SERVER_NAME: 'logs' };
  const [problem] = problemsOf(t, {}, named);
  assert.deepEqual([problem?.path, problem?.value], ['aws.region', 'unset']);
  const { settings } = load(t, {}, { ...named, AWS_REGION: 'us-gov-west-1' });
  assert.equal(settings.aws.region, 'us-gov-west-1');
});

for (const [uri, allowed] of [
  [server.replace('aws', 'aws-cn'), /^an ARN of the partition aws or aws-us-gov: /],
  [server.replace('logs', '../x'), /^a URL that begins with/],
  [server.replace('logs', 'a.b'), /^a URL that begins with/],
] as const) {
  test(`${uri} is refused for what is wrong with it`, (t) => {
    const [problem, ...others] = problemsOf(t, {}, { MLFLOW_TRACKING_URI: uri });
    assert.match(problem?.allowed ?? '', allowed);
    assert.deepEqual(others, []);
  });
}

for (const url of [
  'HTTP://ada:s3cr3t@h',
  'https:///ada:s3cr3t@h',
  'http:ada:s3cr3t@h',
  'http://:s3cr3t@h',
  'http://h/?token=s3cr3t',
  'http://h/#s3cr3t',
]) {
  for (const [section, name] of [
    ['destination', 'trackingUri'],
    ['aws', 'mlflowEndpoint'],
  ] as const) {
    test(`${section}.${name} is a place alone, not ${url}, and what it hides is not shown`, (t) => {
      const problems = problemsOf(t, { [section]: { [name]: url } });
      const [problem, ...others] = problems;
      assert.deepEqual([problem?.path, others], [`${section}.${name}`, []]);
      assert.ok(!JSON.stringify(problems).includes('s3cr3t'));
    });
  }
}
