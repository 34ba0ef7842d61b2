import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { editYaml } from '../../../src/cli/litellm/edit-yaml.ts';
import { planConfig } from '../../../src/cli/litellm/plan.ts';
import { settingsSchema } from '../../../src/settings/schema.ts';
import { listOf, recordOf } from '../../support/upstream-request.ts';
import { examples } from './configs.ts';

const settings = settingsSchema.parse({});

/** As LiteLLM's parser reads it. */
function read(text: string): Record<string, unknown> {
  return recordOf(parse(text, { version: '1.1' }));
}

/** The comments that have a line of their own, and those behind something. */
function commentsIn(text: string): string[] {
  return text.split(/\r?\n/).flatMap((line) => /(?:^|\s)(#.*)/.exec(line)?.[1] ?? []);
}

test('all comments stay, in their order; the one of an item that goes, goes with its line', () => {
  for (const { name, text } of examples) {
    const ofItem = ['# too', '# ours'];
    const after = commentsIn(planConfig(text, settings).text);
    const wanted = commentsIn(text).filter((comment) => !ofItem.includes(comment));
    assert.deepEqual(
      after.filter((comment) => !ofItem.includes(comment)),
      wanted,
      name,
    );
  }
});

test('what is switched off by a # can be switched on again where it is', () => {
  const members = '    # ttl: 60\n\n    # namespace: ours\n';
  for (const before of [
    `litellm_settings:\n  callbacks:\n    - otel\n    # - langfuse\n  cache_params:\n    type: local\n${members}`,
    `litellm_settings:\n  callbacks:\n    # - otel\n    # - langfuse\n  cache_params:\n    type: local\n${members}`,
    `litellm_settings:\n  callbacks:\n  # - otel\n  # - langfuse\n  cache_params:\n    type: local\n${members}`,
    `litellm_settings:\n  callbacks:\n  - otel\n  # - langfuse\n  cache_params:\n${members}model_list: []\n`,
  ]) {
    const on = (text: string) => read(text.replace(/^( *)# /gm, '$1'));
    const { litellm_settings } = on(planConfig(before, settings).text);
    const { callbacks, cache_params } = recordOf(litellm_settings);
    assert.deepEqual(listOf(callbacks), ['otel', 'langfuse', 'sidecar']);
    assert.deepEqual(cache_params, recordOf(on(before)['litellm_settings'])['cache_params']);
  }
});

test('a value that would take comments with it is left for a person, and said so', () => {
  const before =
    'litellm_settings:\n  cache: true\n  cache_params:\n    supported_call_types:\n      - embedding # ours\n      - completion\n';
  const { text, left } = planConfig(before, settingsSchema.parse({ litellm: { cache: 'on' } }));
  assert.match(text, /- embedding # ours\n {6}- completion\n/);
  assert.match(String(left[0]?.advice), /\(there are comments within what it is now\)\.$/);
});

test('an item over a line with others, and comments next to it, is left for a person', () => {
  const list = 'success_callback: [a, # of a\n    b, sidecar]';
  const before = `litellm_settings:\n  callbacks: [sidecar]\n  ${list}\n`;
  assert.ok(planConfig(before, settings).text.includes('[a, # of a\n    b]'));
  const first = before.replace('[a, # of a\n    b, sidecar]', '[sidecar, # of both\n    b]');
  const { text, left } = planConfig(first, settings);
  assert.ok(text.includes('[sidecar, # of both\n    b]'), text);
  assert.match(String(left[0]?.advice), /there are comments between it and what is next to it/);
});

test('comments of a line that changes stay on it', () => {
  const before = 'litellm_settings:\n  callbacks: ["otel"] # why\n';
  assert.match(planConfig(before, settings).text, /^ {2}callbacks: \["otel", sidecar\] # why$/m);
});

test('what is put in stands at the end of its section, and comments stay above what they are about', () => {
  const before =
    'litellm_settings:\n  fallbacks:\n    - a: [b]\n\n# The models\nmodel_list: []\n# The end\n';
  const lines = planConfig(before, settings).text.split('\n');
  assert.deepEqual(lines.slice(0, 9), [
    ...['litellm_settings:', '  fallbacks:', '    - a: [b]', '  callbacks: [sidecar]'],
    ...['  request_correlation_in_logs: true', '', '# The models', 'model_list: []', '# The end'],
  ]);
});

test('comments below the last member, in its column, stay with it', () => {
  const before = 'litellm_settings:\n  drop_params: true\n  # ^ or calls fail\nx: 1\n';
  const after = editYaml(before, { kind: 'set', path: ['litellm_settings', 'z'], value: 1 });
  assert.equal(after, before.replace('x: 1', '  z: 1\nx: 1'));
});

test('a member comes into an item of a list, though a comment ends it', () => {
  const item = '  - p:\n      q:\n        - r: 1\n        # last\n';
  const before = `l:\n${item}  # second\n  - b: 1\n`;
  assert.equal(
    editYaml(before, { kind: 'set', path: ['l', 0, 'x'], value: 5 }),
    `l:\n${item}    x: 5\n  # second\n  - b: 1\n`,
  );
});
