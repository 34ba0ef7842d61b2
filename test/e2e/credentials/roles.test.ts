import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { grantedBy } from '../../support/iam-policy.ts';
import { assertLogged } from '../../support/logged.ts';
import { stsActions } from '../../support/small-sts.ts';
import { waitUntil } from '../../support/wait-until.ts';
import {
  arn,
  assertEachOnce,
  auth,
  authReport,
  held,
  post,
  settingsWithRoles,
  sidecarOn,
  startStage,
} from './stage.ts';

const user = { AWS_ACCESS_KEY_ID: 'AKIAUSER', AWS_SECRET_ACCESS_KEY: 'secret of the user' };
const roleOf = (name: string) => `arn:aws:iam::210987654321:role/${name}`;

const startWithUser = (t: TestContext) =>
  startStage(t, (id) =>
    id === 'AKIAUSER' ? { secretAccessKey: user.AWS_SECRET_ACCESS_KEY, allowed: ['*'] } : undefined,
  );

test('a role is assumed with all that the settings say of it', async (t) => {
  const stage = await startWithUser(t);
  const policy = '{"Version":"2012-10-17","Statement":[]}';
  const SIDECAR_CONFIG = settingsWithRoles(stage, [
    {
      roleArn: roleOf('recorder'),
      externalId: 'an-id:of/two@firms',
      sessionName: 'sidecar-eu',
      duration: '15m',
      policy,
      policyArns: ['arn:aws:iam::aws:policy/One', 'arn:aws:iam::210987654321:policy/two'],
      tags: { team: 'platform', 'cost centre': '4711 & more' },
      sourceIdentity: 'litellm',
    },
  ]);
  const before = Date.now();
  const report = await authReport(stage, { ...user, SIDECAR_CONFIG });
  assert.deepEqual(
    [report.source, report.arn],
    [
      `the role ${roleOf('recorder')}, assumed by the access keys in the environment`,
      'arn:aws:sts::210987654321:assumed-role/recorder/sidecar-eu',
    ],
  );
  const life = Date.parse(report.expires ?? '') - before;
  assert.ok(life > 890_000 && life < 960_000, `it holds for ${life} ms`);
  const [assumed, asked] = stage.sts.calls;
  assert.deepEqual(assumed, {
    action: 'AssumeRole',
    accessKeyId: 'AKIAUSER',
    parameters: {
      Version: '2011-06-15',
      RoleArn: roleOf('recorder'),
      RoleSessionName: 'sidecar-eu',
      ExternalId: 'an-id:of/two@firms',
      DurationSeconds: '900',
      Policy: policy,
      'PolicyArns.member.1.arn': 'arn:aws:iam::aws:policy/One',
      'PolicyArns.member.2.arn': 'arn:aws:iam::210987654321:policy/two',
      'Tags.member.1.Key': 'team',
      'Tags.member.1.Value': 'platform',
      'Tags.member.2.Key': 'cost centre',
      'Tags.member.2.Value': '4711 & more',
      SourceIdentity: 'litellm',
    },
  });
  assert.equal(asked?.action, 'GetCallerIdentity');
  for (const policy of ['assume-role', 'cross-account-trust']) {
    const needed = stage.sts.calls.flatMap(stsActions);
    assert.deepEqual(needed.sort(), grantedBy(policy), `${policy} grants that, and no more`);
  }
});

test('of a role that is only named nothing more is asked than a session by its own name', async (t) => {
  const stage = await startWithUser(t);
  await authReport(stage, {
    ...user,
    SAGEMAKER_MLFLOW_ASSUME_ROLE_ARN: roleOf('recorder'),
  });
  assert.deepEqual(stage.sts.calls[0]?.parameters, {
    Version: '2011-06-15',
    RoleArn: roleOf('recorder'),
    RoleSessionName: 'litellm-mlflow-sidecar',
  });
});

test("a role of a chain is assumed by the one before it, and the last one's requests reach MLflow", async (t) => {
  const stage = await startWithUser(t);
  const SIDECAR_CONFIG = settingsWithRoles(stage, [
    { roleArn: roleOf('gate'), sessionName: 'first' },
    { roleArn: roleOf('recorder'), sessionName: 'second' },
  ]);
  const sidecar = await sidecarOn(t, stage, { ...user, SIDECAR_CONFIG });
  await post(sidecar, 1, 10);
  await sidecar.drained();
  assertEachOnce(stage, 10);
  const calls = stage.sts.calls.map(({ action, parameters, accessKeyId }) => [
    action,
    parameters['RoleArn'],
    accessKeyId,
  ]);
  const ids = ['ASIAROLE000000000001', 'ASIAROLE000000000002'];
  assert.deepEqual(calls, [
    ['AssumeRole', roleOf('gate'), 'AKIAUSER'],
    ['AssumeRole', roleOf('recorder'), ids[0]],
    ['GetCallerIdentity', undefined, ids[1]],
  ]);
  assert.deepEqual(
    new Set(stage.edge.requests.map(({ accessKeyId }) => accessKeyId)),
    new Set([ids[1]]),
  );
});

test("the official plugin's SAGEMAKER_MLFLOW_ASSUME_ROLE_ARN is assumed; who may not is held", async (t) => {
  const stage = await startWithUser(t);
  const role = { SAGEMAKER_MLFLOW_ASSUME_ROLE_ARN: roleOf('recorder') };
  stage.sts.deny(roleOf('recorder'));
  const { code, error } = await authReport(stage, { ...user, ...role });
  assert.deepEqual([code, error], [1, 'AccessDenied']);
  const denied = await auth(stage, { ...user, ...role });
  assert.match(
    denied.output,
    /^arn:\S+recorder cannot be assumed \(AccessDenied\)\. The role's trust/,
  );

  const sidecar = await sidecarOn(t, stage, { ...user, ...role });
  await post(sidecar, 1, 3);
  const { reason, detail } = await held(sidecar);
  assert.deepEqual([reason, detail], ['no_credentials', 'AccessDenied']);
  assert.equal(stage.edge.requests.length, 0);
  stage.sts.allow(roleOf('recorder'));
  await sidecar.drained();
  assertEachOnce(stage, 3);
});

test('auth tells people who they are, and hints at what is better', async (t) => {
  const stage = await startWithUser(t);
  const { code, output } = await auth(stage, user);
  assert.equal(code, 0, output);
  assert.deepEqual(output.trimEnd().split('\n'), [
    'Credentials: the access keys in the environment',
    'Identity:    arn:aws:iam::111122223333:user/AKIAUSER',
    'Until:       they do not run out',
    'Hint:        access keys that do not run out are in use; a role is safer',
  ]);
});

test('auth fails where there are no credentials, or nobody knows whose they are', async (t) => {
  const stage = await startWithUser(t);
  const none = await auth(stage, {});
  assert.equal(none.code, 1);
  assert.match(none.output, /^There are no credentials \(CredentialsProviderError\)\. Give/);
  assert.deepEqual(await authReport(stage), {
    code: 1,
    region: 'eu-west-1',
    error: 'CredentialsProviderError',
  });

  const unknown = await auth(stage, { ...user, AWS_ENDPOINT_URL_STS: 'http://127.0.0.1:9' });
  assert.equal(unknown.code, 1);
  assert.match(
    unknown.output,
    /^Identity: +not known, STS in eu-west-1 could not tell: ECONNREFUSED$/m,
  );
  const revoked = await authReport(stage, { ...user, AWS_SECRET_ACCESS_KEY: 'another' });
  assert.deepEqual([revoked.code, revoked.error], [1, 'SignatureDoesNotMatch']);
});

test('auth says of a URL that its requests are not signed, and of wrong settings what is wrong', async (t) => {
  const stage = await startWithUser(t);
  const url = { MLFLOW_TRACKING_URI: 'http://127.0.0.1:9', AWS_REGION: 'eu-west-1' };
  const plain = await auth(stage, { ...user, ...url });
  assert.equal(plain.code, 0);
  assert.match(plain.output, /^MLflow is asked by its URL, without a signature/);
  const wrong = await auth(stage, { MLFLOW_TRACKING_URI: arn.replace('aws', 'gcp') });
  assert.equal(wrong.code, 78);
});

test('where keys in the environment hide the role of a container, start and auth warn', async (t) => {
  const stage = await startWithUser(t);
  const both = { ...user, AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1:9/role' };
  const warning =
    "AWS_ACCESS_KEY_ID hides the container's role (EKS Pod Identity): Amazon's libraries prefer access keys in the environment; unset them to use the role";
  const { source, advice } = await authReport(stage, both);
  assert.deepEqual([source, advice], ['the access keys in the environment', [warning]]);
  const sidecar = await sidecarOn(t, stage, both);
  await post(sidecar, 1, 1);
  await sidecar.drained();
  await assertLogged(sidecar.logFile, warning, 1);
});

test('500 calls are recorded once each while the session of a chain of roles runs out twice', async (t) => {
  const stage = await startWithUser(t);
  const SIDECAR_CONFIG = settingsWithRoles(stage, [
    { roleArn: roleOf('base') },
    { roleArn: roleOf('recorder') },
  ]);
  const sidecar = await sidecarOn(t, stage, { ...user, SIDECAR_CONFIG });
  await post(sidecar, 1, 500);
  const recorded = () =>
    [...stage.mlflow.runs.values()].filter(({ status }) => status === 'FINISHED').length;
  for (const count of [100, 300]) {
    await waitUntil(() => (recorded() >= count ? true : undefined), {
      ...{ what: `${count} recorded calls`, withinMs: 60_000, everyMs: 10 },
    });
    stage.edge.expire(stage.edge.requests.at(-1)?.accessKeyId ?? '');
  }
  await sidecar.drained(60_000);
  assertEachOnce(stage, 500);
  const assumed = stage.sts.calls.filter(({ action }) => action === 'AssumeRole');
  const timesOf = (name: string) =>
    assumed.filter(({ parameters }) => parameters['RoleArn'] === roleOf(name)).length;
  assert.equal(timesOf('recorder'), 3, 'one refresh at a time');
  const refusals = stage.edge.requests.flatMap(({ refusal }) => refusal ?? []);
  assert.deepEqual(new Set(refusals), new Set(['ExpiredTokenException']));
});
