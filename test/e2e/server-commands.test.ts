import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { operatorActions } from '../support/operator-edge.ts';
import { runProgram } from '../support/run-program.ts';
import {
  type ControlPlaneOptions,
  startControlPlane,
} from '../support/sagemaker-control-plane/control-plane.ts';
import { serverEnvironment } from '../support/server-environment.ts';
import { tempFolder } from '../support/temp-folder.ts';

const program = ['--import', 'tsx', 'src/main.ts', 'server'];
/** Of an operator, without what names a server. */
const keys = {
  ...{ AWS_ACCESS_KEY_ID: 'ASIAOPERATOR', AWS_SECRET_ACCESS_KEY: 's', AWS_SESSION_TOKEN: 't' },
  ...{ AWS_REGION: 'eu-west-1', AWS_EC2_METADATA_DISABLED: 'true' },
};

/** A control plane with the tracking server `logs`, which runs, and the program that asks it as an operator. */
async function start(
  t: TestContext,
  { size = 'Small', ...options }: Partial<ControlPlaneOptions> & { size?: string } = {},
) {
  const plane = await startControlPlane({
    credentials: (id) =>
      id === keys.AWS_ACCESS_KEY_ID
        ? { secretAccessKey: 's', sessionToken: 't', allowed: operatorActions('operator') }
        : undefined,
    ...options,
  });
  t.after(plane.close);
  const arn = plane.addTrackingServer('logs', {
    ...{ TrackingServerSize: size, WeeklyMaintenanceWindowStart: 'Sun:04:00' },
  });
  const env = { ...keys, AWS_ENDPOINT_URL_SAGEMAKER: plane.url, MLFLOW_TRACKING_URI: arn };
  const operations = () => plane.calls.map(({ operation }) => operation);
  return { plane, arn, env, operations, server: serverWith(env) };
}

function serverWith(common: Readonly<Record<string, string>>) {
  return (words: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    runProgram(process.execPath, [...program, ...words], {
      env: serverEnvironment(undefined, { ...common, ...more }),
      withinMs: 30_000,
    });
}

test('server stop and server start wait until it is done, and say how it goes', async (t) => {
  const { server, operations } = await start(t, { changeMs: 100 });
  const stop = await server(['stop']);
  assert.equal(stop.code, 0, stop.output);
  assert.match(
    stop.output,
    /^logs: Created; asking SageMaker to stop it, which takes some minutes\nlogs is stopped \(Stopped\), after \d s\.\n$/,
  );
  const begin = await server(['start', '--json', '--timeout', '1m']);
  assert.equal(begin.code, 0, begin.output);
  assert.partialDeepStrictEqual(JSON.parse(begin.output.slice(begin.output.indexOf('{'))), {
    ...{ name: 'logs', verb: 'start', result: 'reached', status: 'Started', active: true },
  });
  assert.ok(operations().includes('StartMlflowTrackingServer'));
  const again = await server(['start']);
  assert.deepEqual(again, { code: 0, output: 'logs runs already (Started).\n' });
});

test('server restart stops and starts it', async (t) => {
  const { server, operations } = await start(t, { changeMs: 100 });
  const { code, output } = await server(['restart']);
  assert.equal(code, 0, output);
  assert.match(output, /logs runs \(Started\), after \d+ s\.\n$/);
  assert.deepEqual(
    operations().filter((operation) => !operation.startsWith('Describe')),
    ['StopMlflowTrackingServer', 'StartMlflowTrackingServer'],
  );
});

test('server stop --no-wait leaves it stopping; a start that has to wait is refused then', async (t) => {
  const { server, plane } = await start(t);
  const stop = await server(['stop', '--no-wait']);
  assert.equal(stop.code, 0, stop.output);
  assert.match(stop.output, /logs is stopping .*"server status" says how it is\.\n$/);
  const early = await server(['start', '--no-wait', '--json']);
  assert.equal(early.code, 1);
  assert.partialDeepStrictEqual(JSON.parse(early.output.slice(early.output.indexOf('{\n'))), {
    ...{ result: 'failed', status: 'Stopping' },
    error:
      'logs could not be started (Stopping, active): it is stopping; ask again when that is over, or leave --no-wait out.',
  });
  const status = await server(['status']);
  assert.equal(
    status.output,
    'logs: Stopping, active: it serves no more; what is recorded stays.\n',
  );
  plane.advance();
  assert.match((await server(['status'])).output, /^logs: Stopped: .*"server start" starts it/);
});

test('a start that fails exits with 1 and tells why and what to do', async (t) => {
  const { server, plane } = await start(t, { changeMs: 100 });
  assert.equal((await server(['stop'])).code, 0);
  plane.fail('Start');
  const { code, output } = await server(['start']);
  assert.equal(code, 1);
  assert.match(output, /logs could not be started \(StartFailed, not active\): starting failed\./);
  assert.match(output, /execution role and its bucket/);
  const json = await server(['status', '--json']);
  assert.partialDeepStrictEqual(JSON.parse(json.output), { status: 'StartFailed', active: false });
});

test('Ctrl-C ends the waiting and says that the server goes on', async (t) => {
  const { env, plane } = await start(t);
  const child = spawn(process.execPath, [...program, 'stop'], {
    env: serverEnvironment(undefined, env),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  const ended = once(child, 'close');
  for await (const chunk of child.stderr.setEncoding('utf8')) {
    if (output === '') child.kill('SIGINT');
    output += chunk;
  }
  const [code] = await ended;
  assert.equal(code, 1, output);
  assert.match(output, /Not waiting any longer: logs was last seen Created\. /);
  assert.ok(plane.calls.some(({ operation }) => operation === 'StopMlflowTrackingServer'));
});

test('waiting that takes longer than --timeout exits with 1 and says that the server goes on', async (t) => {
  const { server } = await start(t);
  const { code, output } = await server(['stop', '--timeout', '1s']);
  assert.equal(code, 1);
  assert.match(
    output,
    /logs is not there yet after 1 s \(Stopping, active\)\. SageMaker goes on stopping it: "server status" says how it is\.\n$/,
  );
});

test('an app has no start and no stop: exit 64; it has a status and more to tell', async (t) => {
  const { server, plane, operations } = await start(t);
  const app = { MLFLOW_TRACKING_URI: plane.addApp('calls', { KmsKeyId: 'key-1' }) };
  for (const verb of ['start', 'stop', 'restart']) {
    const { code, output } = await server([verb], app);
    assert.deepEqual([code, /This is an MLflow app.* no way to/.test(output)], [64, true], output);
  }
  assert.deepEqual(operations(), []);
  const status = await server(['status'], app);
  assert.deepEqual(status, { code: 0, output: 'calls: Created: it serves.\n' });
  const info = await server(['info'], app);
  assert.equal(info.code, 0, info.output);
  assert.match(info.output, /^Kind +app$/m);
  assert.match(info.output, /^KMS key +key-1$/m);
  assert.match(info.output, /^Ration +15 requests a second .*25, which is assumed\)$/m);
  assert.doesNotMatch(info.output, /^Size/m);
});

test('server info tells of the server, and of the ration that the daemon takes', async (t) => {
  const { server, arn } = await start(t, { size: 'Medium' });
  const { code, output } = await server(['info'], { SIDECAR_REPLICAS: '2' });
  assert.equal(code, 0, output);
  for (const line of [
    /^Name +logs$/m,
    new RegExp(`^ARN +${arn}$`, 'm'),
    /^Status +Created: it serves$/m,
    /^MLflow +3\.0\.0$/m,
    /^Size +Medium, which bears 50 requests a second$/m,
    /^Ration +15 requests a second for each of 2 sidecars \(share 0\.6 of 50\)$/m,
    /^Artifact store +s3:\/\/artifacts\/mlflow$/m,
    /^Execution role +arn:aws:iam::111122223333:role\/mlflow$/m,
    /^Maintenance +weekly from Sun:04:00 UTC$/m,
    /^Created +\d{4}-\d\d-\d\dT.* by arn:aws:sts::/m,
    /^Modified +\d{4}/m,
  ]) {
    assert.match(output, line);
  }
  const json = await server(['info', '--json'], { SIDECAR_REQUESTS_PER_SECOND: '7' });
  assert.partialDeepStrictEqual(JSON.parse(json.output), {
    ...{ name: 'logs', size: 'Medium', bears: 50, active: true },
    ration: { requestsPerSecond: 7, share: 0.6, replicas: 1 },
  });
});

test('server list shows servers and apps, and what may be listed where the other may not', async (t) => {
  const { server, plane } = await start(t);
  for (let index = 0; index < 12; index += 1) plane.addTrackingServer(`server-${index}`);
  const app = plane.addApp('calls');
  const all = await server(['list']);
  assert.equal(all.code, 0, all.output);
  assert.equal(all.output.trim().split('\n').length, 1 + 13 + 1);
  assert.match(all.output, new RegExp(`^calls +app +Created +3\\.0\\.0 +\\S+ +${app}$`, 'm'));
  plane.deny('ListMlflowApps');
  const some = await server(['list', '--json']);
  assert.equal(some.code, 0, some.output);
  const { found, problems } = JSON.parse(some.output);
  assert.equal(found.length, 13);
  assert.match(problems.join(), /lack sagemaker:ListMlflowApps.*config\/iam\/operator\.json/);
  plane.deny('ListMlflowTrackingServers');
  assert.equal((await server(['list'])).code, 1);
});

test('server url prints a link to standard output alone, with the lives that were asked for', async (t) => {
  const { server, plane, arn } = await start(t);
  const { code, output } = await server(['url', '--json', '--expires', '60', '--session', '2h']);
  assert.equal(code, 0, output);
  const [given] = plane.presigned;
  assert.deepEqual(JSON.parse(output), {
    ...{ url: given?.url, opened: false, expiresInSeconds: 60, sessionSeconds: 7_200 },
  });
  assert.deepEqual([given?.arn, given?.expiresInSeconds, given?.sessionSeconds], [arn, 60, 7_200]);
  const byDefault = await server(['url']);
  const [, second] = plane.presigned;
  assert.equal(
    byDefault.output,
    `${second?.url}\nIt works once, within 5 min; the session lasts 12 h.\n`,
  );
  const app = plane.addApp('calls');
  assert.equal((await server(['url', app])).code, 0);
  assert.equal(plane.presigned[2]?.arn, app);
});

test('server url warns where the server does not serve', async (t) => {
  const { server } = await start(t, { changeMs: 100 });
  assert.equal((await server(['stop'])).code, 0);
  const { code, output } = await server(['url']);
  assert.equal(code, 0);
  assert.match(output, /logs does not serve \(Stopped\), so the link will not work yet/);
});

for (const [option, value, range] of [
  ['--expires', '4', '5 to 300 seconds'],
  ['--expires', '301', '5 to 300 seconds'],
  ['--expires', '30m', '5 to 300 seconds'],
  ['--session', '1799', '1800 to 43200 seconds'],
  ['--session', '13h', '1800 to 43200 seconds'],
  ['--session', 'long', '1800 to 43200 seconds'],
] as const) {
  test(`server url ${option} ${value} is refused before anything is asked`, async () => {
    const { code, output } = await serverWith({})(['url', option, value]);
    assert.equal(code, 64);
    assert.ok(output.includes(`'${value}' is invalid. It is from ${range}`), output);
  });
}

test('server url --open hands the link to the browser, and prints it only where there is none', async (t) => {
  const { server, plane } = await start(t);
  const bin = join(tempFolder(t), 'bin');
  mkdirSync(bin);
  const seen = join(bin, 'seen');
  const browser = join(bin, process.platform === 'darwin' ? 'open' : 'xdg-open');
  const PATH = `${bin}:${dirname(process.execPath)}:/usr/bin:/bin`;
  writeFileSync(browser, `#!/bin/sh\nprintf %s "$1" > ${seen}\n`);
  chmodSync(browser, 0o755);
  const opened = await server(['url', '--open'], { PATH });
  assert.equal(opened.code, 0, opened.output);
  assert.equal(readFileSync(seen, 'utf8'), plane.presigned[0]?.url);
  assert.equal(opened.output, 'Opened in the browser; the session lasts 12 h.\n');
  writeFileSync(browser, '#!/bin/sh\nexit 3\n');
  const failed = await server(['url', '--open'], { PATH });
  assert.equal(failed.code, 0);
  assert.ok(failed.output.includes(`No browser could be opened; this is the link:\n`));
  assert.ok(failed.output.includes(plane.presigned[1]?.url ?? 'none'));
});

test('what is refused is told with what to do: exit 1', async (t) => {
  const { server, plane } = await start(t);
  const unknown = await server(['status', 'other']);
  assert.deepEqual(
    [unknown.code, /knows none of that name in eu-west-1/.test(unknown.output)],
    [1, true],
  );
  plane.deny('StopMlflowTrackingServer');
  const denied = await server(['stop']);
  assert.equal(denied.code, 1);
  assert.match(
    denied.output,
    /lack sagemaker:StopMlflowTrackingServer .*config\/iam\/operator\.json/,
  );
  const json = await server(['stop', '--json']);
  assert.match(
    JSON.parse(json.output.slice(json.output.indexOf('{\n'))).error,
    /lack sagemaker:Stop/,
  );
  plane.expire('ASIAOPERATOR');
  const expired = await server(['status']);
  assert.equal(expired.code, 1);
  assert.match(expired.output, /does not take the credentials \(ExpiredTokenException\)/);
  const none = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_SESSION_TOKEN: '' };
  const without = await server(['status'], { ...none, HOME: tempFolder(t) });
  assert.equal(without.code, 1);
  assert.match(without.output, /There are no AWS credentials .*"auth" says what is found/);
  const away = await server(['status'], { AWS_ENDPOINT_URL_SAGEMAKER: 'http://127.0.0.1:9' });
  assert.equal(away.code, 1);
  assert.match(away.output, /control plane in eu-west-1 cannot be reached \(ECONNREFUSED\)/);
});

test('the operator needs what config/iam grants of the control plane, and no more', async (t) => {
  const { server, plane, operations } = await start(t, { changeMs: 100 });
  const app = plane.addApp('calls');
  for (const words of [['restart'], ['list'], ['url'], ['info', app], ['url', app]]) {
    const { code, output } = await server(words);
    assert.equal(code, 0, `${words}: ${output}`);
  }
  const granted = operatorActions('operator').filter((action) => action.startsWith('sagemaker:'));
  assert.deepEqual(
    [...new Set(operations())].map((operation) => `sagemaker:${operation}`).sort(),
    // Which is for MLflow itself.
    granted.filter((action) => action !== 'sagemaker:CallMlflowAppApi').sort(),
  );
});

test('without a server, or without a region, the answer says what to set', async () => {
  const url = await serverWith({})(['start']);
  assert.deepEqual(
    [url.code, /MLflow at http:\/\/127\.0\.0\.1:5000\/, which is not SageMaker's/.test(url.output)],
    [64, true],
  );
  const region = await serverWith({})(['start', 'logs']);
  assert.deepEqual(
    [region.code, /There is no region: set AWS_REGION/.test(region.output)],
    [78, true],
  );
  assert.equal((await serverWith({})(['list'])).code, 78);
  const name = await serverWith(keys)(['status', 'no_name']);
  assert.deepEqual([name.code, /"no_name" is neither the name/.test(name.output)], [64, true]);
  const china = 'arn:aws-cn:sagemaker:cn-north-1:111122223333:mlflow-tracking-server/logs';
  const elsewhere = await serverWith(keys)(['status', china]);
  assert.deepEqual(
    [elsewhere.code, /is in the partition aws-cn; SageMaker's/.test(elsewhere.output)],
    [64, true],
  );
  const settings = await serverWith({ MLFLOW_TRACKING_SERVER_NAME: 'logs' })(['status']);
  assert.deepEqual([settings.code, /AWS_REGION sets it/.test(settings.output)], [78, true]);
  assert.equal((await serverWith({})(['start', '--timeout', 'soon'])).code, 64);
});
