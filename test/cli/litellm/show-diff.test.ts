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
    const shown = showDiff(`${line}\na\n`, `${line}\nb\n`);
    assert.doesNotMatch(shown, /sk-|abcdef/);
  }
  assert.match(showDiff(`${lines[4]}\na\n`, 'b\n'), /api_key: os\.environ\/KEY/);
  assert.match(showDiff(`${lines[2]}\na\n`, 'b\n'), /model: openai\/a/);
});
