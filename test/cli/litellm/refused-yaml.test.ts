import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planConfig } from '../../../src/cli/litellm/plan.ts';
import { settingsSchema } from '../../../src/settings/schema.ts';
import { refused, taken } from './refused-configs.ts';

const settings = settingsSchema.parse({});

for (const [what, text, message] of [
  ...refused,
  ['several documents', 'a: 1\n---\nb: 2\n', /2 YAML documents/],
  ['a mistake', 'a: [1\nb: 2\n', /^line \d+, column \d+: /],
  ['a key that is there twice', 'a: 1\na: 2\n', /line 2, column 1: Map keys must be unique/],
  ['a list', '- a\n', /no mapping of sections/],
] as const) {
  test(`a configuration with ${what} is refused`, () => {
    assert.throws(() => planConfig(text, settings), { code: 'CONFIG_UNREADABLE', message });
  });
}

for (const [what, text] of taken) {
  test(`a configuration with ${what} is taken`, () => {
    assert.doesNotThrow(() => planConfig(text, settings));
  });
}

test('what is said of a mistake repeats no text, in which there may be a secret', () => {
  for (const text of ['a: |s3cr3t\n', 'a: *s3cr3t\n', 'a: [s3cr3t\nb: 1\n', 's3cr3t\na: 1\n']) {
    assert.throws(
      () => planConfig(text, settings),
      (error) => !String(error).includes('s3cr3t'),
    );
  }
});
