import assert from 'node:assert/strict';
import { access, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import {
  copyOf,
  environmentOf,
  execForm,
  healthCommand,
  lastOf,
  parseDockerfile,
  readDockerfile,
} from './dockerfile.ts';

const stages = await readDockerfile();
const image = stages.at(-1);
assert.ok(image);

test('every stage stands on the slim image of the Node that package.json asks for', async () => {
  const text = await readFile('package.json', 'utf8');
  const major = /"node": ">=(\d+)"/.exec(text)?.[1];
  for (const { base } of stages) assert.equal(base, `node:${major}-slim`);
});

test('the daemon is started without a shell, as another user than root, and gets SIGTERM', () => {
  assert.deepEqual(execForm(lastOf(image, 'CMD')), ['node', 'dist/main.js', 'serve']);
  assert.match(lastOf(image, 'USER'), /^[1-9]\d*:[1-9]\d*$/);
  assert.equal(lastOf(image, 'STOPSIGNAL'), 'SIGTERM');
});

test('the health check asks the port that is set, with nothing but node', () => {
  const [program, ...args] = healthCommand(image);
  assert.equal(program, 'node');
  assert.match(args.join(' '), /process\.env\.SIDECAR_PORT\}\/healthz/);
});

test('the port that the image names is the one it sets', () => {
  assert.equal(lastOf(image, 'EXPOSE'), environmentOf(image)['SIDECAR_PORT']);
});

test('the folder that is built holds what is copied from it, and nothing else', async () => {
  const lines = (await readFile('.dockerignore', 'utf8')).trim().split('\n');
  const [first, ...others] = lines.filter((line) => !line.startsWith('#'));
  const kept = others.filter((line) => line.startsWith('!'));
  assert.equal(first, '*');
  const copies = stages
    .flatMap((stage) => stage.instructions)
    .filter(({ name }) => name === 'COPY')
    .map(({ text }) => copyOf(text))
    .filter(({ from }) => from === undefined);
  const sources = new Set(copies.flatMap((copy) => copy.sources));
  for (const source of sources) await access(source);
  const names = kept.map((line) => line.replace(/^!(.*?)\/?$/, '$1'));
  assert.deepEqual([...sources].sort(), names.sort());
  const leftOut = others.filter((line) => !line.startsWith('!'));
  assert.deepEqual(leftOut, ['config/cdk/', 'config/kubernetes/']);
});

test('a Dockerfile is read into stages, with continued lines joined and comments left out', () => {
  const text = 'FROM a AS b\n# c\nENV X=1 \\\n  # d\n  Y="2 3"\nFROM e\nCOPY --from=b /f g ./\n';
  const [first, second] = parseDockerfile(text);
  assert.ok(first && second);
  assert.deepEqual([first.base, first.name, second.name], ['a', 'b', undefined]);
  assert.deepEqual(environmentOf(first), { X: '1', Y: '2 3' });
  const copy = copyOf(lastOf(second, 'COPY'));
  assert.deepEqual(copy, { from: 'b', sources: ['/f', 'g'], target: './' });
});
