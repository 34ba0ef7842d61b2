import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { diff } from 'node:util';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { CannotEditError } from '../../../src/cli/litellm/cannot-edit.ts';
import { editYaml } from '../../../src/cli/litellm/edit-yaml.ts';
import { planConfig } from '../../../src/cli/litellm/plan.ts';
import { settingsSchema } from '../../../src/settings/schema.ts';
import { listOf, recordOf } from '../../support/upstream-request.ts';
import { examples } from './configs.ts';

const settings = settingsSchema.parse({});

/** As LiteLLM's parser reads it. */
function read(text: string): Record<string, unknown> {
  const value: unknown = parse(text, { version: '1.1' });
  return recordOf(value ?? {});
}

/** Lines of `before` that are not in `after`, and the other way round. */
function changed(before: string, after: string): { gone: string[]; come: string[] } {
  const lines = diff(before.split('\n'), after.split('\n'));
  const of = (sign: number) => lines.filter(([own]) => own === sign).map(([, line]) => line);
  return { gone: of(1), come: of(-1) };
}

function assertConfigured(after: string): void {
  const { litellm_settings, callback_settings } = read(after);
  const list = listOf(recordOf(litellm_settings)['callbacks']);
  assert.equal(list.filter((name) => name === 'sidecar').length, 1);
  assert.equal(recordOf(litellm_settings)['request_correlation_in_logs'], true);
  const block = recordOf(recordOf(callback_settings)['sidecar']);
  assert.equal(block['callback_type'], 'generic_api');
  assert.match(String(block['endpoint']), /^os\.environ\/SIDECAR_EVENTS_URL$|\/v1\/events$/);
  assert.match(String(recordOf(block['headers'])['Authorization']), /^os\.environ\/\w+$/);
  assert.ok(Number(block['max_retries']) >= 1 && Number(block['retry_delay']) > 0);
  assert.ok(Number(block['timeout']) < 20);
}

for (const { name, text, touched = [] } of examples) {
  for (const lineEnd of ['\n', '\r\n']) {
    const words = lineEnd === '\n' ? name : `${name}, with line ends of Windows`;
    test(`the callback comes into: ${words}; all other lines stay`, () => {
      const before = text.replaceAll('\n', lineEnd);
      const { text: after, left } = planConfig(before, settings);
      assert.deepEqual(left, []);
      assertConfigured(after);
      const without = (line: string) => line.replace(/\r$/, '');
      const { gone } = changed(before, after);
      // The last line may have had no end.
      const lost = gone.filter((line) => line !== '' && !after.includes(`${line}${lineEnd}`));
      assert.deepEqual(lost.map(without), touched);
      if (before.includes('\r\n'))
        assert.doesNotMatch(after, /[^\r]\n/, 'there is one kind of line end');
      assert.equal(planConfig(after, settings).text, after, 'the second time nothing changes');
    });
  }
}

test('what other parts of a configuration mean does not change', () => {
  for (const { text } of examples) {
    const others = ({
      callback_settings: _,
      litellm_settings: __,
      ...rest
    }: object & Record<string, unknown>) => rest;
    assert.deepEqual(others(read(planConfig(text, settings).text)), others(read(text)));
  }
});

test('the block that is put in is the one of config/litellm.yaml', () => {
  const shipped = read(readFileSync('config/litellm.yaml', 'utf8'));
  const made = read(planConfig('', settings).text);
  assert.deepEqual(made['callback_settings'], shipped['callback_settings']);
  assert.deepEqual(made['litellm_settings'], shipped['litellm_settings']);
});

test('a section that is an alias is left for a person, and said so', () => {
  const before = 'x: &x { drop_params: true }\nlitellm_settings: *x\n';
  const { text, left } = planConfig(before, settings);
  assert.deepEqual(read(text)['litellm_settings'], { drop_params: true });
  assert.match(
    String(left[0]?.advice),
    /^Change it by hand: litellm_settings\.callbacks is written/,
  );
});

test('what cannot be changed is named by its whole path', () => {
  const before = 'a:\n  b:\n    c: text\n';
  assert.throws(() => editYaml(before, { kind: 'set', path: ['a', 'b', 'c', 'd'], value: 1 }), {
    code: 'CONFIG_NOT_EDITABLE',
    message: /^a\.b\.c\.d is written/,
  });
});

test('a section that another part uses by an anchor is not changed for both', () => {
  const before = 'litellm_settings: &x\n  drop_params: true\nother: *x\n';
  const { text, left } = planConfig(before, settings);
  assert.deepEqual(read(text)['other'], { drop_params: true });
  assert.deepEqual(
    left.map(({ code }) => code),
    ['not_posted', 'no_correlation'],
  );
});

for (const [what, text] of [
  ['a list', 'litellm_settings: [a]\n'],
  ['a text', 'litellm_settings: a\n'],
  ['nothing at all, in words', 'null # nothing\n'],
] as const) {
  test(`a section cannot be put into ${what}, and that is what is said`, () => {
    const { left } = planConfig(text, settings);
    assert.match(String(left[0]?.advice), /\(what is there is no mapping\)\.$/);
  });
}

test('what a merge kept from being changed is changed once that does not matter any more', () => {
  const before = `model_list:
  - model_name: c
    litellm_params: &p
      model: anthropic/claude-x
  - model_name: d
    litellm_params:
      <<: *p
      temperature: 1
  - model_name: shared
    litellm_params: &q
      model: anthropic/claude-y
  - model_name: sharing
    litellm_params: *q
`;
  const marked = settingsSchema.parse({ litellm: { promptCache: 'on' } });
  const { text, left } = planConfig(before, marked);
  assert.deepEqual(
    left.map(({ path }) => path),
    ['model_list.2', 'model_list.3'],
  );
  assert.equal(text.match(/cache_control_injection_points/g)?.length, 2);
  assert.equal(planConfig(text, marked).text, text);
});

const scalar = fc.oneof(
  fc.stringMatching(/^[a-zA-Z][\w #:'"-]{0,12}$/),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constant('two\nlines\n'),
);
const name = fc.stringMatching(/^[a-z_]{1,8}$/);
const tree = fc.letrec((tie) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('node'), { maxLength: 3 }),
    fc.dictionary(name, tie('node'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).node;
const config = fc.record(
  {
    model_list: fc.array(tree, { maxLength: 3 }),
    litellm_settings: fc.dictionary(name, tree, { maxKeys: 3, noNullPrototype: true }),
    general_settings: tree,
    callback_settings: fc.dictionary(name, tree, { maxKeys: 2, noNullPrototype: true }),
  },
  { requiredKeys: [] },
);

/** Writes a configuration as somebody might, with a comment behind each line that bears one. */
const written = fc
  .record({
    config,
    indent: fc.constantFrom(2, 4),
    indentSeq: fc.boolean(),
    lineEnd: fc.constantFrom('\n', '\r\n'),
    commented: fc.boolean(),
    isEnded: fc.boolean(),
  })
  .map(({ config: value, indent, indentSeq, lineEnd, commented, isEnded }) => {
    const lines = stringify(value, { schema: 'yaml-1.1', indent, indentSeq }).split('\n');
    const bears = /^\s*(?:- )*[a-z_]+:(?: (?:true|false|null|-?\d+))?$/;
    const text = lines
      .map((line, index) => (commented && bears.test(line) ? `${line} # ${index}` : line))
      .join(lineEnd);
    return isEnded ? text : text.trimEnd();
  });

test('whatever a configuration holds, its lines stay and its meaning grows by the callback alone', () => {
  fc.assert(
    fc.property(written, (before) => {
      const value = read(before);
      const { text: after, left } = planConfig(before, settings);
      assertConfigured(after);
      assert.deepEqual(left, []);
      const {
        callbacks: _,
        request_correlation_in_logs: __,
        ...rest
      } = recordOf(read(after)['litellm_settings']);
      assert.deepEqual(rest, value['litellm_settings'] ?? {});
      const { sidecar: ___, ...others } = recordOf(read(after)['callback_settings']);
      assert.deepEqual(others, value['callback_settings'] ?? {});
      const kept = changed(before.trimEnd(), after).gone;
      assert.ok(
        kept.every(
          (line) => /\{\}|null/.test(line) || line === before.trimEnd().split('\n').at(-1),
        ),
        kept.join('|'),
      );
    }),
    { numRuns: 150 },
  );
});

test('an edit of any member changes that member, or nothing at all', () => {
  const member = fc.constantFrom(['a'], ['a', 'b'], ['b', 'c', 'd'], ['c']);
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom('a', 'b', 'c'), tree, { noNullPrototype: true }),
      member,
      fc.oneof(scalar, fc.array(scalar, { maxLength: 3 })),
      (value, path, to) => {
        const before = stringify(value, { schema: 'yaml-1.1' });
        let after: string;
        try {
          after = editYaml(before, { kind: 'set', path, value: to });
        } catch (error) {
          assert.ok(error instanceof CannotEditError, String(error));
          return;
        }
        const [first = ''] = path;
        const { [first]: _, ...othersAfter } = read(after);
        const { [first]: __, ...othersBefore } = value;
        assert.deepEqual(othersAfter, othersBefore);
      },
    ),
    { numRuns: 400 },
  );
});
