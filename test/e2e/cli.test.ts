import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { runProgram } from '../support/run-program.ts';
import { serverEnvironment } from '../support/server-environment.ts';
import { startSidecar } from '../support/sidecar.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** The program from its sources, with an environment of its own. */
function litellmMlflow(words: string[], env: Record<string, string> = {}, imports: string[] = []) {
  const args = ['tsx', ...imports].flatMap((name) => ['--import', name]);
  return runProgram(process.execPath, [...args, 'src/main.ts', ...words], {
    env: serverEnvironment(undefined, env),
    withinMs: 30_000,
  });
}

/** Nothing listens there. */
const nowhere = 'http://127.0.0.1:9';

test('validate says that the settings are right, and which file it read', async () => {
  const { code, output } = await litellmMlflow(['validate']);
  assert.equal(code, 0, output);
  assert.match(output, /settings are valid \(config\/sidecar\.yaml and the environment\)/);
});

test('validate lists every mistake and exits with 78', async (t) => {
  const file = join(tempFolder(t), 'sidecar.yaml');
  writeFileSync(file, 'server: { port: 70000 }\nlog: { levl: info }\n');
  const { code, output } = await litellmMlflow(['validate'], {
    SIDECAR_CONFIG: file,
    SIDECAR_REQUESTS_PER_SECOND: 'many',
  });
  assert.equal(code, 78);
  assert.match(output, /^There are 3 mistakes in the settings/);
  assert.ok(output.includes(file));
  assert.match(output, /server\.port: is 70000, must be a whole number from 0 to 65535/);
  assert.match(output, /log\.levl: is "info", must be left out: .* is log\.level meant\?/);
  assert.match(output, /SIDECAR_REQUESTS_PER_SECOND \(destination\.requestsPerSecond\): is "many"/);
});

test('validate warns of variables that set nothing', async () => {
  const { code, output } = await litellmMlflow(['validate'], { SIDECAR_PROT: '4100' });
  assert.equal(code, 0);
  assert.match(output, /SIDECAR_PROT sets nothing/);
});

test('validate --json prints the same for programs', async () => {
  const valid = await litellmMlflow(['validate', '--json'], { SIDECAR_PROT: '1' });
  assert.equal(valid.code, 0);
  assert.deepEqual(JSON.parse(valid.output), {
    valid: true,
    file: 'config/sidecar.yaml',
    problems: [],
    warnings: ['SIDECAR_PROT sets nothing; is SIDECAR_PORT meant?'],
  });
  const invalid = await litellmMlflow(['validate', '--json'], { SIDECAR_PORT: 'x' });
  assert.equal(invalid.code, 78);
  assert.partialDeepStrictEqual(JSON.parse(invalid.output), {
    valid: false,
    problems: [{ path: 'SIDECAR_PORT (server.port)', value: '"x"' }],
  });
});

for (const words of [[], ['sreve'], ['serve', '--fast'], ['validate', 'twice', 'too']]) {
  test(`"litellm-mlflow ${words.join(' ')}" is wrong usage: exit 64, and how to get help`, async () => {
    const { code, output } = await litellmMlflow(words);
    assert.equal(code, 64);
    assert.match(output, /help/);
  });
}

test('--help lists the commands, --version says the version of the package', async () => {
  const help = await litellmMlflow(['--help']);
  assert.equal(help.code, 0);
  for (const command of ['serve', 'validate'])
    assert.match(help.output, new RegExp(`\\b${command}\\b`));
  const version = await litellmMlflow(['--version']);
  const { version: own }: { version: string } = JSON.parse(readFileSync('package.json', 'utf8'));
  assert.deepEqual(version, { code: 0, output: `${own}\n` });
});

test('serve with wrong settings exits with 78 and leaves the data folder alone', async (t) => {
  const data = join(tempFolder(t), 'data');
  const { code, output } = await litellmMlflow(['serve'], {
    SIDECAR_DATA_DIR: data,
    SIDECAR_PORT: '-1',
    MLFLOW_TRACKING_TOKEN: 'a-secret-token',
    MLFLOW_TRACKING_USERNAME: 'ada',
  });
  assert.equal(code, 78);
  assert.match(
    output,
    /SIDECAR_PORT \(server\.port\): is -1, must be a whole number from 0 to 65535/,
  );
  assert.match(output, /destination\.token: is \(hidden\), must be left out/);
  assert.ok(!output.includes('a-secret-token'));
  assert.ok(!existsSync(data));
});

test('serve on a port that is taken exits with 1 and says which', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  t.after(() => other.close());
  await once(other, 'listening');
  const address = other.address();
  assert.ok(typeof address === 'object' && address !== null);
  const { code, output } = await litellmMlflow(['serve'], {
    SIDECAR_DATA_DIR: join(tempFolder(t), 'data'),
    SIDECAR_PORT: String(address.port),
    MLFLOW_TRACKING_URI: nowhere,
  });
  assert.equal(code, 1, output);
  assert.match(output, /EADDRINUSE/);
  assert.ok(output.includes(`127.0.0.1:${address.port}`), output);
  assert.ok(!output.includes('    at '), 'a stack trace is for bugs');
});

test('serve with the data folder of another exits with 1 and says that it is in use', async (t) => {
  const dir = tempFolder(t);
  const first = await startSidecar({ trackingUri: nowhere, dir });
  t.after(() => first.close());
  const { code, output } = await litellmMlflow(['serve'], {
    SIDECAR_DATA_DIR: join(dir, 'data'),
    SIDECAR_PORT: '0',
    MLFLOW_TRACKING_URI: nowhere,
  });
  assert.equal(code, 1, output);
  assert.match(output, /JOURNAL_IN_USE/);
  assert.ok(output.includes(`another process owns the journal in ${join(dir, 'data')}`), output);
  assert.equal((await fetch(`${first.url}/healthz`)).status, 200);
});

test('an older Node is told what it needs, before anything else is loaded', async () => {
  const older = `data:text/javascript,${encodeURIComponent(
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '22.11.0' } })",
  )}`;
  const { code, output } = await litellmMlflow(['serve'], {}, [older]);
  assert.deepEqual(
    { code, output },
    { code: 1, output: 'litellm-mlflow needs Node 24 or later; this is Node 22.11.0.\n' },
  );
});

test('with --json every command says as JSON that the settings are wrong', async () => {
  const commands = ['status', 'verify', 'dead list', 'replay --all', 'auth'];
  const ended = await Promise.all(
    commands.map((words) => litellmMlflow([...words.split(' '), '--json'], { SIDECAR_PORT: 'x' })),
  );
  for (const [index, { code, output }] of ended.entries()) {
    assert.equal(code, 78, commands[index]);
    assert.match(JSON.parse(output).error, /SIDECAR_PORT/, commands[index]);
  }
});
