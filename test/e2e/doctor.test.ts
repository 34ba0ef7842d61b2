import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { mlflowReader } from '../support/mlflow-reader.ts';
import { type MlflowServer, startMlflow } from '../support/mlflow-server.ts';
import { runProgram } from '../support/run-program.ts';
import {
  type ManagedMlflow,
  type SagemakerStack,
  startManagedMlflow,
  startSagemakerStack,
} from '../support/sagemaker-stack.ts';
import { serverEnvironment } from '../support/server-environment.ts';
import { tempFolder } from '../support/temp-folder.ts';

/* `doctor` against real servers: a plain MLflow, and a managed one behind SageMaker's edge, with S3 and STS. */

let plain: MlflowServer;
let managed: ManagedMlflow;
let stack: SagemakerStack;

before(
  async () => {
    [plain, managed] = await Promise.all([startMlflow(), startManagedMlflow()]);
    stack = await startSagemakerStack(managed);
  },
  { timeout: 600_000 },
);
after(async () => {
  await stack?.close();
  await managed?.close();
  await plain?.close();
});

interface Check {
  name: string;
  result: string;
  detail: string;
  advice?: string;
}

/** What `doctor` finds. */
async function doctor(
  t: TestContext,
  env: Record<string, string>,
  words: string[] = [],
): Promise<Check[]> {
  const args = ['--import', 'tsx', 'src/main.ts', 'doctor', '--json', ...words];
  const { code, output } = await runProgram(process.execPath, args, {
    env: serverEnvironment(undefined, { SIDECAR_DATA_DIR: join(tempFolder(t), 'data'), ...env }),
    withinMs: 60_000,
  });
  const { checks }: { checks: Check[] } = JSON.parse(output);
  assert.equal(code, checks.some(({ result }) => result === 'failure') ? 1 : 0, output);
  return checks;
}

const sagemaker = () => ({ MLFLOW_TRACKING_URI: stack.arn, ...stack.environment });
const failuresIn = (checks: Check[]) => checks.filter(({ result }) => result === 'failure');

test('a plain MLflow in order: every permission is there, and nothing is left behind', async (t) => {
  const checks = await doctor(t, { MLFLOW_TRACKING_URI: plain.url });
  assert.deepEqual(failuresIn(checks), []);
  assert.ok(checks.some(({ detail }) => detail === 'MLflow 3.17.2'));
  assert.ok(checks.some(({ name, detail }) => name === 'traces' && detail.includes('OTLP')));
  const reader = mlflowReader(plain.url);
  assert.deepEqual(await reader.experimentNames(), ['Default']);
  assert.deepEqual(await reader.runs('Default', 'ALL'), []);
});

test('a server of SageMaker in order, with the rights of config/iam and no more', async (t) => {
  const env = { ...sagemaker(), MLFLOW_EXPERIMENT_NAME: 'Default' };
  const checks = await doctor(t, env);
  assert.deepEqual(failuresIn(checks), []);
  const said = checks.map(({ name, detail }) => `${name}: ${detail}`).join('\n');
  assert.match(said, /^identity: arn:aws:/m);
  assert.match(said, /^server: DescribeMlflowTrackingServer: logs is Small/m);
  assert.match(said, /^artifacts: s3:\/\/artifacts\/mlflow\/0: the bucket is there/m);
  const written = await doctor(t, env, ['--write']);
  assert.ok(
    written.some(
      ({ result, detail }) =>
        result === 'ok' &&
        detail.startsWith('s3://artifacts/mlflow/0/sidecar-doctor.txt was written'),
    ),
    JSON.stringify(written.at(-1)),
  );
});

test('each permission that is taken away is the one that is named', async (t) => {
  for (const verb of [
    ...['GetExperimentByName', 'CreateExperiment', 'CreateRun', 'UpdateRun', 'SearchRuns'],
  ]) {
    stack.edge.deny(`sagemaker-mlflow:${verb}`);
    const failed = failuresIn(await doctor(t, sagemaker()));
    stack.edge.allow(`sagemaker-mlflow:${verb}`);
    assert.deepEqual(
      failed.map(({ name }) => name),
      [`mlflow: ${verb}`],
    );
    assert.match(failed[0]?.advice ?? '', /compare their policy with config\/iam/);
  }
});

test('DeleteRun that is taken away is a warning: records go on without', async (t) => {
  stack.edge.deny('sagemaker-mlflow:DeleteRun');
  const checks = await doctor(t, sagemaker());
  stack.edge.allow('sagemaker-mlflow:DeleteRun');
  assert.deepEqual(failuresIn(checks), []);
  const found = checks.find(({ name }) => name === 'mlflow: DeleteRun');
  assert.equal(found?.result, 'warning');
  assert.match(found?.advice ?? '', /^A second run that a lost answer made stays\./);
});

test('a host name that MLflow was not told, said once', async (t) => {
  const strict = await startMlflow({ args: ['--allowed-hosts', 'mlflow:5000'] });
  t.after(() => strict.close());
  const failed = failuresIn(await doctor(t, { MLFLOW_TRACKING_URI: strict.url }));
  assert.deepEqual(
    failed.map(({ name }) => name),
    ['mlflow: GetExperimentByName'],
  );
  assert.match(failed[0]?.advice ?? '', /--allowed-hosts/);
  assert.doesNotMatch(failed[0]?.advice ?? '', /IAM|iam/);
});

test('a tracking server that is not there', async (t) => {
  const env = { ...sagemaker(), MLFLOW_TRACKING_URI: stack.arn.replace(/logs$/, 'gone') };
  const failed = failuresIn(await doctor(t, env));
  assert.match(failed[0]?.detail ?? '', /gone in [\w-]+ is not described \(ResourceNotFound/);
  assert.match(failed[0]?.advice ?? '', /"server list" shows those there are/);
});

test('access keys that are not good', async (t) => {
  const failed = failuresIn(await doctor(t, { ...sagemaker(), AWS_SECRET_ACCESS_KEY: 'wrong' }));
  assert.match(failed.map(({ detail }) => detail).join('\n'), /refused \(unauthorized\)/);
});

test('a bucket that is not there, for the archive', async (t) => {
  const env = { ...sagemaker(), SIDECAR_ARCHIVE_URI: 's3://no-such-bucket/calls' };
  const look = async (words: string[]) => failuresIn(await doctor(t, env, words));
  const [found, ...others] = await look([]);
  assert.deepEqual(others, []);
  assert.equal(found?.detail, 's3://no-such-bucket/calls: there is no bucket no-such-bucket');
  const [refused] = await look(['--write']);
  assert.match(refused?.detail ?? '', /sidecar-doctor\.txt cannot be written \(NoSuchBucket\)/);
});
