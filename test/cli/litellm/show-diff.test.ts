import assert from 'node:assert/strict';
import { test } from 'node:test';
import { showDiff } from '../../../src/cli/litellm/show-diff.ts';

test('a change is shown with the lines around it, and what is far away is left out', () => {
  const lines = Array.from({ length: 20 }, (_, index) => `line ${index}`);
  const shown = showDiff(lines.join('\n'), lines.with(9, 'other').join('\n'));
  assert.deepEqual(shown.split('\n'), [
    ...['  ...', '  line 6', '  line 7', '  line 8', '- line 9', '+ other'],
    ...['  line 10', '  line 11', '  line 12'],
  ]);
});

test('lines are the same whatever ends them, and nothing differs in the same text', () => {
  assert.equal(showDiff('a\r\nb\r\n', 'a\r\nc\r\n'), '  a\n- b\n+ c');
  assert.equal(showDiff('a\n', 'a\n'), '');
});

test('keys and passwords around a change are not shown, names of variables are', () => {
  const lines = [
    'master_key: sk-1234',
    'api_key: "sk-5678" # ours',
    'litellm_params: { api_key: sk-9, model: openai/a }',
    'Authorization: Bearer abcdef',
    'api_key: os.environ/KEY',
  ];
  for (const line of lines) {
    const shown = showDiff(`${line}\na: 1\n`, `${line}\nb: 1\n`);
    assert.doesNotMatch(shown, /sk-|abcdef/);
  }
  assert.match(showDiff(`${lines[4]}\na: 1\n`, 'b: 1\n'), /api_key: os\.environ\/KEY/);
  assert.match(showDiff(`${lines[2]}\na: 1\n`, 'b: 1\n'), /model: openai\/a/);
});

test('what is shown of a line depends on the lines above it, though these are far away', () => {
  const before = `api_key: |\n${'  s3cr3t\n'.repeat(9)}a: 1\n`;
  const shown = showDiff(before, before.replace('a: 1', 'a: 2'));
  assert.deepEqual(shown.split('\n'), [
    ...['  ...', '    ***', '    ***', '    ***', '- a: 1', '+ a: 2'],
  ]);
});

test('of a secret that changes, neither is shown', () => {
  const shown = showDiff('x: 1\ntoken: >-\n  old-1\n', 'token: >-\n  new-1\ny: 2\n');
  assert.doesNotMatch(shown, /old-1|new-1/);
  assert.match(shown, /^- x: 1$/m);
});
