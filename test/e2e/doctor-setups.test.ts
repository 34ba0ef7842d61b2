import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { checkDisk } from '../../src/cli/doctor/check-disk.ts';
import { checkClock } from '../../src/cli/doctor/check-network.ts';
import { checkStore } from '../../src/cli/doctor/check-store.ts';
import { awsAccess } from '../../src/destination.ts';
import { settingsSchema } from '../../src/settings/schema.ts';
import { freePort } from '../support/free-port.ts';
import { listenLocally } from '../support/listen-locally.ts';
import { bodyOf, litellmEvent } from '../support/litellm-event.ts';
import { startMinimalMlflow } from '../support/minimal-mlflow.ts';
import { runProgram } from '../support/run-program.ts';
import { serverEnvironment } from '../support/server-environment.ts';
import { startSidecar } from '../support/sidecar.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

interface Report {
  ok: boolean;
  failures: number;
  warnings: number;
  checks: { name: string; result: string; detail: string; advice?: string }[];
}

/** What `doctor --json` finds; the data folder is a fresh one unless told. */
async function doctor(
  t: TestContext,
  env: Record<string, string>,
  words: string[] = [],
): Promise<{ code: number | undefined; report: Report; failed: string[] }> {
  const args = ['--import', 'tsx', 'src/main.ts', 'doctor', '--json', ...words];
  const { code, output } = await runProgram(process.execPath, args, {
    env: serverEnvironment(undefined, {
      SIDECAR_DATA_DIR: join(tempFolder(t), 'data'),
      // What a developer's machine has is none of the test's.
      HOME: tempFolder(t),
      AWS_EC2_METADATA_DISABLED: 'true',
      ...env,
    }),
    withinMs: 60_000,
  });
  const report: Report = JSON.parse(output);
  const failed = report.checks.filter(({ result }) => result === 'failure');
  const wrong = failed.some(({ name }) => name === 'settings') ? 78 : 1;
  assert.equal(code, failed.length === 0 ? 0 : wrong);
  assert.equal(report.ok, failed.length === 0);
  for (const { result, advice = '' } of report.checks) {
    assert.ok(result === 'ok' || advice.length > 10, 'what is not well comes with what to do');
  }
  return { code, report, failed: failed.map(({ name, detail }) => `${name}: ${detail}`) };
}

/** The one failure that there is. */
async function onlyFailure(
  t: TestContext,
  env: Record<string, string>,
  words?: string[],
): Promise<{ said: string; advice: string }> {
  const { report, failed } = await doctor(t, env, words);
  assert.equal(failed.length, 1, failed.join('\n'));
  const advice = report.checks.find(({ result }) => result === 'failure')?.advice ?? '';
  return { said: failed[0] ?? '', advice };
}

async function pageServer(t: TestContext, aheadMs = 0): Promise<string> {
  const server = createServer((_, response) => {
    response.sendDate = false;
    const date = new Date(Date.now() + aheadMs);
    response.writeHead(200, { date: date.toUTCString(), 'content-type': 'text/html' });
    response.end('<html>Welcome</html>');
  });
  const local = await listenLocally(server);
  t.after(local.close);
  return local.url;
}

test('a set-up in order has no failure, and each permission was tried', async (t) => {
  const mlflow = await startMinimalMlflow(t);
  const { report } = await doctor(t, { MLFLOW_TRACKING_URI: mlflow.url });
  assert.deepEqual(
    report.checks
      .filter(({ name }) => name.startsWith('mlflow: '))
      .map(({ name }) => name.slice(8)),
    [
      ...['GetExperimentByName', 'CreateExperiment', 'RestoreExperiment', 'CreateRun', 'LogBatch'],
      ...['UpdateRun', 'SearchRuns', 'DeleteRun'],
    ],
  );
  assert.equal(mlflow.runs.size, 0);
  for (const name of [
    'settings',
    'disk',
    'disk space',
    'disk speed',
    'dns',
    'connection',
    'clock',
  ]) {
    assert.ok(
      report.checks.some((one) => one.name === name && one.result === 'ok'),
      name,
    );
  }
});

test('without --json it is a line each, the advice below it, and a sum', async () => {
  const args = ['--import', 'tsx', 'src/main.ts', 'doctor'];
  const { code, output } = await runProgram(process.execPath, args, {
    env: serverEnvironment(undefined, { MLFLOW_TRACKING_URI: 'http://127.0.0.1:9' }),
  });
  assert.equal(code, 1);
  assert.match(
    output,
    /^FAILURE {2}connection: 127\.0\.0\.1:9 \(ECONNREFUSED\)\n {9}-> Nothing listens there/m,
  );
  assert.match(output, /^1 failure, \d+ warnings?, \d+ ok\.\n$/m);
});

test('wrong settings: each mistake, and the exit code that wrong settings have', async (t) => {
  const wrong = { SIDECAR_PORT: 'x', SIDECAR_RECORD_RUNS: 'some' };
  const { code, failed } = await doctor(t, wrong);
  assert.equal(code, 78);
  assert.match(failed.join('\n'), /SIDECAR_PORT \(server\.port\): is "x", must be a whole number/);
  assert.match(
    failed.join('\n'),
    /SIDECAR_RECORD_RUNS \(record\.runs\): is "some", must be one of/,
  );
  const args = ['--import', 'tsx', 'src/main.ts', 'doctor'];
  const plain = await runProgram(process.execPath, args, {
    env: serverEnvironment(undefined, wrong),
  });
  assert.equal(plain.code, 78);
  assert.match(plain.output, /^FAILURE {2}settings: SIDECAR_PORT .*\n {9}-> Correct it/m);
  assert.match(plain.output, /^2 failures, 0 warnings, 0 ok\.\n$/m);
});

test('a host name that nobody knows', async (t) => {
  const env = { MLFLOW_TRACKING_URI: 'http://mlflow.invalid:5000' };
  const { said, advice } = await onlyFailure(t, env);
  assert.match(said, /^dns: mlflow\.invalid is not known \((ENOTFOUND|EAI_AGAIN)\)/);
  assert.match(advice, /destination\.trackingUri/);
});

test('a port at which nothing listens', async (t) => {
  const port = await freePort();
  const { said, advice } = await onlyFailure(t, {
    MLFLOW_TRACKING_URI: `http://127.0.0.1:${port}`,
  });
  assert.equal(said, `connection: 127.0.0.1:${port} (ECONNREFUSED)`);
  assert.match(advice, /start MLflow, or correct the port/);
});

test('https where there is no TLS', async (t) => {
  const url = (await pageServer(t)).replace('http:', 'https:');
  const { said, advice } = await onlyFailure(t, { MLFLOW_TRACKING_URI: url });
  assert.match(said, /^tls: 127\.0\.0\.1:\d+ \((EPROTO|ERR_SSL_\w+)\)/);
  assert.match(advice, /write http:\/\/ instead/);
});

test('something that is no MLflow', async (t) => {
  const { said, advice } = await onlyFailure(t, { MLFLOW_TRACKING_URI: await pageServer(t) });
  assert.match(said, /^mlflow: GetExperimentByName: refused \(not_mlflow\)/);
  assert.match(advice, /is not MLflow/);
});

test('a clock that is ten minutes off', async (t) => {
  const url = await pageServer(t, 600_000);
  const { failed } = await doctor(t, { MLFLOW_TRACKING_URI: url });
  assert.match(failed.join('\n'), /clock: this machine is (?:59[89]|60[01]) s behind the server/);
});

test('a server that tells the time twice, as MLflow does', async (t) => {
  const server = createServer((_, response) => {
    const date = new Date().toUTCString();
    response.setHeader('date', [date, date]).end('<html>MLflow</html>');
  });
  const { url, close } = await listenLocally(server);
  t.after(close);
  assert.partialDeepStrictEqual(await checkClock(new URL(url), Date.now), { result: 'ok' });
});

test('a wrong password', async (t) => {
  const mlflow = await startMinimalMlflow(t);
  mlflow.fault = () => ({ status: 401 });
  const env = { MLFLOW_TRACKING_USERNAME: 'ada', MLFLOW_TRACKING_PASSWORD: 'wrong-password' };
  const { report, failed } = await doctor(t, { MLFLOW_TRACKING_URI: mlflow.url, ...env });
  assert.deepEqual(failed, [
    'mlflow: GetExperimentByName: refused (unauthorized); tried for a name that is not there',
  ]);
  assert.ok(report.checks.some(({ detail }) => detail.includes('asked as ada')));
  assert.doesNotMatch(JSON.stringify(report), /wrong-password/);
});

test('one permission that is missing', async (t) => {
  const mlflow = await startMinimalMlflow(t);
  mlflow.fault = (request) => (request === 'runs/log-batch' ? { status: 403 } : undefined);
  const { said } = await onlyFailure(t, { MLFLOW_TRACKING_URI: mlflow.url });
  assert.equal(said, 'mlflow: LogBatch: refused (forbidden); tried of a run that is not there');
});

test('no credentials for SageMaker', async (t) => {
  const { said, advice } = await onlyFailure(t, {
    MLFLOW_TRACKING_URI: 'arn:aws:sagemaker:eu-west-1:123456789012:mlflow-tracking-server/logs',
  });
  assert.match(said, /^credentials: There are no credentials \(CredentialsProviderError\)/);
  assert.match(advice, /aws\.assumeRole/);
});

test('a data folder that is a file', async (t) => {
  const mlflow = await startMinimalMlflow(t);
  const file = join(tempFolder(t), 'data');
  writeFileSync(file, '');
  const env = { MLFLOW_TRACKING_URI: mlflow.url, SIDECAR_DATA_DIR: file };
  const { failed } = await doctor(t, env);
  assert.match(failed.join('\n'), /^disk: the journal cannot write to .*data/m);
});

test('a store that the sidecar cannot reach', async (t) => {
  const mlflow = await startMinimalMlflow(t);
  mlflow.fault = (request) =>
    request.startsWith('experiments/get-by-name')
      ? {
          status: 200,
          body: { experiment: { experiment_id: '1', artifact_location: '/srv/mlruns/1' } },
        }
      : undefined;
  const { said, advice } = await onlyFailure(t, { MLFLOW_TRACKING_URI: mlflow.url });
  assert.equal(said, 'artifacts: /srv/mlruns/1: neither S3 nor behind MLflow');
  assert.match(advice, /--serve-artifacts/);
});

test("LiteLLM's configuration without retries and with a token in a text", async (t) => {
  const mlflow = await startMinimalMlflow(t);
  const file = join(tempFolder(t), 'litellm.yaml');
  writeFileSync(
    file,
    'litellm_settings: { callbacks: [sidecar], request_correlation_in_logs: true }\ncallback_settings:\n  sidecar: { callback_type: generic_api, endpoint: os.environ/SIDECAR_EVENTS_URL, headers: { Authorization: "Bearer os.environ/T" }, retry_delay: 1, timeout: 10 }\n',
  );
  const { failed } = await doctor(t, { MLFLOW_TRACKING_URI: mlflow.url }, [
    '--litellm-config',
    file,
  ]);
  assert.deepEqual(
    failed.map((line) => line.split(': ').slice(0, 2).join(': ')),
    [
      'litellm: callback_settings.sidecar.headers.Authorization',
      'litellm: callback_settings.sidecar.max_retries',
    ],
  );
});

test('a daemon that waits for MLflow', async (t) => {
  const mlflow = await startMinimalMlflow(t);
  const away = `http://127.0.0.1:${await freePort()}`;
  const sidecar = await startSidecar({ trackingUri: away });
  t.after(() => sidecar.close());
  await fetch(sidecar.eventsUrl, { method: 'POST', body: bodyOf(litellmEvent(1)) });
  await waitUntil(
    async () =>
      (await (await fetch(`${sidecar.url}/healthz`)).text()).includes('unreachable') || undefined,
    { what: 'the daemon to hold', withinMs: 20_000 },
  );
  const env = { MLFLOW_TRACKING_URI: mlflow.url, SIDECAR_DATA_DIR: join(sidecar.dir, 'data') };
  const { report, failed } = await doctor(t, env);
  assert.match(
    failed.join('\n'),
    /^sidecar: mlflow takes nothing since .*: unreachable, ECONNREFUSED/m,
  );
  assert.match(
    report.checks.find(({ name }) => name === 'sidecar')?.detail ?? '',
    /^the daemon runs; 1 calls received, 0 recorded, 1 pending, 0 dead$/,
  );
});

test('a listener for everybody without a token is worth a warning', async (t) => {
  const mlflow = await startMinimalMlflow(t);
  const env = { MLFLOW_TRACKING_URI: mlflow.url, SIDECAR_HOST: '0.0.0.0' };
  const { report } = await doctor(t, env);
  assert.ok(
    report.checks.some(
      ({ result, detail }) => result === 'warning' && /anybody who reaches/.test(detail),
    ),
  );
});

test('a bucket in another region than MLflow is worth a warning', async (t) => {
  let region = 'eu-west-1';
  const server = createServer((_, response) => {
    response.writeHead(403, { 'x-amz-bucket-region': region }).end();
  });
  const local = await listenLocally(server);
  t.after(local.close);
  const access = awsAccess(settingsSchema.parse({ aws: { region: 'us-east-1' } }));
  const environment = { AWS_ENDPOINT_URL_S3: local.url };
  const plain = { access, environment, write: false };
  const options = { ...plain, mlflowRegion: 'us-east-1' };
  assert.equal((await checkStore('s3://calls/mlflow', plain)).result, 'ok', 'nobody knows');
  const far = await checkStore('s3://calls/mlflow', options);
  assert.equal(far.result, 'warning');
  assert.match(far.detail, /the bucket is in eu-west-1, and MLflow in us-east-1$/);
  region = 'us-east-1';
  assert.equal((await checkStore('s3://calls/mlflow', options)).result, 'ok');
});

/** Looks at the disk of a folder by clock and file systems of the test's own. */
function diskOf(dir: string, step = 0.1, type = 0xef53) {
  let now = 0;
  const ticks = () => {
    now += step;
    return now;
  };
  return checkDisk(settingsSchema.parse({ journal: { dir } }), ticks, () => ({ type }));
}

test('a folder on a network is refused by name, and a slow disk is told of', (t) => {
  const dir = tempFolder(t);
  const [refused, ...more] = diskOf(dir, 0.1, 0x6969);
  assert.deepEqual(more, []);
  assert.equal(refused?.result, 'failure');
  assert.match(refused?.detail ?? '', /lies on NFS \(Amazon EFS is NFS, too\)/);
  const resultOf = (step: number) =>
    diskOf(dir, step).find(({ name }) => name === 'disk speed')?.result;
  assert.deepEqual([resultOf(1), resultOf(80)], ['ok', 'warning']);
});

test('looking at a disk makes no folder and leaves no file', (t) => {
  const parent = tempFolder(t);
  const results = diskOf(join(parent, 'not', 'yet')).map(({ result }) => result);
  assert.ok(results.every((result) => result === 'ok'));
  assert.deepEqual(readdirSync(parent), []);
});

test('a folder of somebody else is told of', { skip: process.getuid?.() === 0 }, (t) => {
  const dir = join(tempFolder(t), 'data');
  mkdirSync(dir);
  chmodSync(dir, 0o500);
  assert.equal(diskOf(dir)[0]?.result, 'failure');
});
