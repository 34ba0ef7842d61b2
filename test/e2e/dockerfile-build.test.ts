import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { type BuiltFolder, buildInFolder } from '../packaging/build-in-folder.ts';
import { readDockerfile } from '../packaging/dockerfile.ts';
import { startChild } from '../support/child.ts';
import { freePort } from '../support/free-port.ts';
import { runProgram } from '../support/run-program.ts';

/** No Docker here: the commands of the Dockerfile itself, run in an empty folder. */
let root: string;
let built: BuiltFolder;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'dockerfile-build-'));
  built = await buildInFolder(await readDockerfile(), root, dirname(process.execPath));
});

after(() => rm(root, { recursive: true, force: true }));

test('the image holds compiled JavaScript and nothing that only development needs', async () => {
  const files = await readdir(join(built.dir, 'dist'), { recursive: true });
  assert.ok(files.includes('main.js'));
  assert.deepEqual(
    files.filter((file) => file.endsWith('.ts')),
    [],
  );
  const modules = await readdir(join(built.dir, 'node_modules'));
  for (const name of ['node', 'typescript', '@biomejs', '@types', 'fast-check']) {
    assert.ok(!modules.includes(name), name);
  }
});

test('in the image the command line is a program on the path', async () => {
  const { version } = JSON.parse(await readFile('package.json', 'utf8'));
  const result = await runProgram('litellm-mlflow', ['--version'], { env: built.env });
  assert.deepEqual([result.code, result.output.trim()], [0, version]);
});

test('the image starts a daemon that its health check finds, and that ends well on SIGTERM', async () => {
  const port = await freePort();
  const env = {
    ...built.env,
    SIDECAR_PORT: String(port),
    SIDECAR_AUTH_TOKEN: 'token-of-the-test',
    MLFLOW_TRACKING_URI: `http://127.0.0.1:${await freePort()}`,
  };
  const check = async () => {
    const [program = '', ...args] = built.healthCommand;
    return (await runProgram(program, args, { env })).code;
  };
  const [program = '', ...args] = built.command;
  const daemon = await startChild({
    name: 'The sidecar',
    command: program,
    args,
    env,
    cwd: built.dir,
    logFile: join(root, 'sidecar.log'),
    ready: { url: `http://127.0.0.1:${port}/healthz` },
    readyWithinMs: 20_000,
  });
  assert.equal(await check(), 0);
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null }, daemon.tail());
  assert.equal(await check(), 1);
});
