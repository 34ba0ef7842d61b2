import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { mapWords, readComposeFile } from '../packaging/compose-file.ts';
import { type Child, startChild } from '../support/child.ts';
import { freePort } from '../support/free-port.ts';
import { mlflowPins, type PythonEnv, pythonEnv } from '../support/python-env.ts';
import { runProgram } from '../support/run-program.ts';

/** The compose file's MLflow, its own words but for the data folder, the address and the port. */
const { mlflow } = (await readComposeFile()).services;
let python: PythonEnv;
let dir: string;
let port: number;
let server: Child;

before(async () => {
  python = await pythonEnv(mlflowPins);
  dir = await mkdtemp(join(tmpdir(), 'compose-mlflow-'));
  port = await freePort();
  const [program = '', ...args] = mapWords(mlflow.command, {
    '/mlflow/': `${dir}/`,
    '--host=0.0.0.0': '--host=127.0.0.1',
    '--port=5000': `--port=${port}`,
  });
  assert.equal(program, 'mlflow');
  server = await startChild({
    name: 'MLflow',
    command: python.bin(program),
    args,
    env: { ...process.env, ...definedOnly(mlflow.environment) },
    cwd: dir,
    logFile: join(dir, 'mlflow.log'),
    ready: { url: `http://127.0.0.1:${port}/health` },
    readyWithinMs: 120_000,
  });
});

after(async () => {
  await server?.stop();
  await rm(dir, { recursive: true, force: true });
});

test('the pinned image and the tests have the same MLflow', () => {
  assert.equal(`mlflow==${mlflow.image?.split(':v')[1]}`, mlflowPins[0]);
});

test('MLflow answers to the name that it has in the compose network', async () => {
  const { status, body } = await searchExperiments('mlflow:5000');
  assert.equal(status, 200, body);
  // The artifact proxy is on: a client without access to the volume can write artifacts.
  assert.match(body, /"artifact_location": ?"mlflow-artifacts:\//);
});

test('MLflow answers to the names that a browser on this machine uses, whatever the port', async () => {
  for (const host of ['localhost:5000', '127.0.0.1:5000', 'localhost:5001']) {
    assert.equal((await searchExperiments(host)).status, 200, host);
  }
});

test('MLflow refuses a name of which it was not told', async () => {
  assert.equal((await searchExperiments('mlflow.example.com')).status, 403);
});

test('the database lies in the volume', async () => {
  assert.ok((await readdir(dir)).includes('mlflow.db'));
});

test('its health check tells a server that is up from one that is not', async () => {
  const [kind, program, ...args] = mlflow.healthcheck?.test ?? [];
  assert.deepEqual([kind, program], ['CMD', 'python']);
  const check = async (at: number) =>
    (await runProgram(python.python, mapWords(args, { ':5000/': `:${at}/` }))).code;
  assert.equal(await check(port), 0);
  assert.equal(await check(await freePort()), 1);
});

/** By node:http, since fetch does not let one say which host is asked. */
function searchExperiments(host: string): Promise<{ status: number | undefined; body: string }> {
  const path = '/api/2.0/mlflow/experiments/search?max_results=1';
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, headers: { host } }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
    })
      .on('error', reject)
      .end();
  });
}

function definedOnly(env: Record<string, string | null>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  );
}
