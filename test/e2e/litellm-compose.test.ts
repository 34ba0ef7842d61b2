import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runProgram } from '../support/run-program.ts';
import { serverEnvironment } from '../support/server-environment.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** The program from its sources. */
function litellmMlflow(words: string[], env: Record<string, string> = {}) {
  return runProgram(process.execPath, ['--import', 'tsx', 'src/main.ts', ...words], {
    env: serverEnvironment(undefined, env),
    withinMs: 30_000,
  });
}

/** A `docker` that writes down what it is asked, and ends as `exit` says of a word in it. */
function fakeDocker(t: TestContext, exit: Record<string, number> = {}) {
  const dir = tempFolder(t);
  const bin = join(dir, 'bin');
  mkdirSync(bin);
  const cases = Object.entries(exit).map(
    ([word, code]) => `case "$*" in *${word}*) exit ${code};; esac`,
  );
  const script = [
    '#!/bin/sh',
    `echo "$*" >> ${join(dir, 'asked')}`,
    ...cases,
    'echo "said by docker"',
  ];
  writeFileSync(join(bin, 'docker'), script.join('\n'), { mode: 0o755 });
  return {
    env: { PATH: `${bin}:/usr/bin:/bin` },
    asked: () => readFileSync(join(dir, 'asked'), 'utf8').trim().split('\n'),
  };
}

for (const [verb, words] of [
  ['start', 'up --detach --wait litellm'],
  ['stop', 'stop litellm'],
  ['restart', 'restart litellm'],
  ['logs', 'logs --follow --tail 200 litellm sidecar'],
] as const) {
  test(`litellm ${verb} is "docker compose ${words}"`, async (t) => {
    const docker = fakeDocker(t);
    const { code, output } = await litellmMlflow(['litellm', verb], docker.env);
    assert.deepEqual([code, output], [0, 'said by docker\n']);
    assert.deepEqual(docker.asked(), [
      'compose version',
      `compose --file docker-compose.yml ${words}`,
    ]);
  });
}

test('what Docker Compose fails with is a failure', async (t) => {
  const { env } = fakeDocker(t, { restart: 17 });
  const { code, output } = await litellmMlflow(['litellm', 'restart'], env);
  assert.equal(code, 1);
  assert.match(output, /docker compose ended with exit code 17; what it said is above/);
});

test('without Docker, or without Compose, it says what to do instead', async (t) => {
  const none = await litellmMlflow(['litellm', 'start'], { PATH: tempFolder(t) });
  assert.equal(none.code, 1);
  assert.match(none.output, /^There is no Docker here .* litellm --config config\/litellm\.yaml$/m);
  const { env } = fakeDocker(t, { version: 1 });
  const old = await litellmMlflow(['litellm', 'stop'], env);
  assert.equal(old.code, 1);
  assert.match(old.output, /^Docker has no Compose here .* End LiteLLM where it was started/m);
});

test('a compose file that is not there is told of', async (t) => {
  const { env } = fakeDocker(t);
  const { code, output } = await litellmMlflow(['litellm', 'start', '--file', 'no.yml'], env);
  assert.equal(code, 1);
  assert.match(output, /There is no no\.yml here/);
});
