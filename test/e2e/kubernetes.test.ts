import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pythonEnv } from '../support/python-env.ts';
import { type ProgramResult, runProgram } from '../support/run-program.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** It brings the API's schemas of each version. */
const pins = ['kubernetes-validate==1.37.0'];

/** The oldest that knows init containers which stay, and the newest that it has. */
const versions = ['1.29', '1.37'];

async function validate(file: string, version: string): Promise<ProgramResult> {
  const env = await pythonEnv(pins);
  const args = ['--strict', '--kubernetes-version', version, file];
  return runProgram(env.bin('kubernetes-validate'), args);
}

for (const name of ['sidecar', 'central']) {
  for (const version of versions) {
    test(`the manifest ${name} is valid in Kubernetes ${version}`, async () => {
      const { code, output } = await validate(`config/kubernetes/${name}.yaml`, version);
      assert.equal(code, 0, output);
    });
  }
}

test('a mistake in a manifest is found', async (t) => {
  const text = await readFile('config/kubernetes/sidecar.yaml', 'utf8');
  const file = join(tempFolder(t), 'broken.yaml');
  await writeFile(file, text.replace('terminationGracePeriodSeconds', 'terminationGracePeriod'));
  const { code, output } = await validate(file, '1.29');
  assert.notEqual(code, 0);
  assert.match(output, /terminationGracePeriod/);
});
