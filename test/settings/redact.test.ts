import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadSettings } from '../../src/settings/load-settings.ts';
import { settingsSchema } from '../../src/settings/schema.ts';
import { tempFolder } from '../support/temp-folder.ts';

const hashKey = 'a-key-that-is-long-enough';

/** The problems that `redact` has, as a file that JSON fits in. */
function problemsOf(t: TestContext, redact: object, environment: Record<string, string> = {}) {
  const file = join(tempFolder(t), 'sidecar.yaml');
  writeFileSync(file, JSON.stringify({ redact }));
  const loaded = loadSettings({ SIDECAR_CONFIG: file, ...environment });
  return loaded.kind === 'valid' ? [] : loaded.problems;
}

test('a path is read into its steps', () => {
  const stepsOf = (path: string) =>
    settingsSchema.parse({ redact: { fields: [{ path, action: 'mask' }] } }).redact.fields[0]?.path;
  assert.deepEqual(stepsOf('request.messages[].content'), ['request', 'messages', '[]', 'content']);
  assert.deepEqual(stepsOf('context.metadata.*[]'), ['context', 'metadata', '*', '[]']);
  assert.deepEqual(stepsOf('response'), ['response']);
  assert.deepEqual(stepsOf('context.x-a header'), ['context', 'x-a header']);
});

for (const path of [
  '',
  'messages',
  'request.message',
  'context..x',
  'context.a[0]',
  'response.[]',
  'response[',
]) {
  test(`the path ${JSON.stringify(path)} is refused with its place and value`, (t) => {
    const [problem] = problemsOf(t, { fields: [{ path, action: 'mask' }] });
    assert.equal(problem?.path, 'redact.fields.0.path');
    assert.equal(problem?.value, JSON.stringify(path));
  });
}

test('a pattern that is none is a mistake, with its place and what is wrong with it', (t) => {
  const pattern = (regex: string) => ({ customPatterns: [{ name: 'x', regex }] });
  const [open] = problemsOf(t, pattern('(a'));
  assert.equal(open?.path, 'redact.customPatterns.0.regex');
  assert.equal(open?.value, '"(a"');
  assert.match(open?.allowed ?? '', /RE2's syntax \(.*missing closing \)/);
  assert.match(
    problemsOf(t, pattern('(a)\\1'))[0]?.allowed ?? '',
    /RE2's syntax/,
    'no back-references',
  );
  assert.match(problemsOf(t, pattern('a*'))[0]?.allowed ?? '', /no empty text matches/);
});

test('a rule without a condition is a mistake', (t) => {
  const [problem] = problemsOf(t, { rules: [{ bodies: 'drop' }] });
  assert.equal(problem?.path, 'redact.rules.0');
  assert.match(problem?.allowed ?? '', /one condition at least/);
});

const hashing = [
  { bodies: 'hash' },
  { identities: 'hash' },
  { rules: [{ team: 'a', bodies: 'hash' }] },
  { fields: [{ path: 'response', action: 'hash' }] },
];

for (const redact of hashing) {
  test(`${JSON.stringify(redact)} needs a key, from the file, the environment or a file of its own`, (t) => {
    const file = join(tempFolder(t), 'key');
    writeFileSync(file, `${hashKey}\n`);
    assert.deepEqual(
      problemsOf(t, redact).map(({ path }) => path),
      ['redact.hashKey'],
    );
    assert.deepEqual(problemsOf(t, { ...redact, hashKey }), []);
    assert.deepEqual(problemsOf(t, redact, { SIDECAR_REDACT_HASH_KEY: hashKey }), []);
    assert.deepEqual(problemsOf(t, redact, { SIDECAR_REDACT_HASH_KEY_FILE: file }), []);
  });
}

test('a key that is too short is refused and not shown', (t) => {
  const [problem] = problemsOf(t, { hashKey: 'short' });
  assert.equal(problem?.path, 'redact.hashKey');
  assert.equal(problem?.value, '(hidden)');
});
