import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { experimentNaming } from '../../src/admit/experiment-name.ts';
import { parseCall } from '../../src/call/parse-call.ts';
import { litellmEvent } from '../support/litellm-event.ts';

/** The name for a call by a team, a key and a model, started just before midnight UTC. */
function nameBy(template: string, changes: Record<string, unknown> = {}): string {
  const seconds = Date.UTC(2026, 10, 30, 23, 59, 59) / 1000;
  const event = litellmEvent(1, {
    startTime: seconds,
    endTime: seconds + 5,
    model_group: 'gpt-4o-mini',
    metadata: {
      user_api_key_team_id: 'team-7',
      user_api_key_team_alias: 'payments',
      user_api_key_alias: 'alias-checkout',
    },
    ...changes,
  });
  return experimentNaming(template).nameFor(parseCall(event, 1));
}

const filled: readonly (readonly [template: string, name: string])[] = [
  ['/litellm-monitoring', '/litellm-monitoring'],
  ['/litellm/{team_id}', '/litellm/team-7'],
  ['/litellm/{team_alias}', '/litellm/payments'],
  ['{model_group}', 'gpt-4o-mini'],
  ['x{key_alias}y', 'xalias-checkouty'],
  ['/l/{date:YYYY-MM}', '/l/2026-11'],
  ['/l/{date:YYYY-MM-DD}', '/l/2026-11-30'],
  ['/l/{date:YYYY}', '/l/2026'],
  ['/{team_alias}/{model_group}/{date:MM}', '/payments/gpt-4o-mini/11'],
];

for (const [template, name] of filled) {
  test(`${template} becomes ${name}`, () => assert.equal(nameBy(template), name));
}

test('dates are in UTC, whatever the time zone of the machine', (t) => {
  const before = process.env['TZ'];
  t.after(() => {
    if (before === undefined) delete process.env['TZ'];
    else process.env['TZ'] = before;
  });
  process.env['TZ'] = 'Pacific/Auckland';
  assert.equal(nameBy('{date:YYYY-MM-DD}'), '2026-11-30');
});

test('what is not known is none', () => {
  const unknown = { metadata: {}, model_group: '' };
  assert.equal(
    nameBy('{team_id},{team_alias},{key_alias},{model_group}', unknown),
    'none,none,none,none',
  );
});

test('a slash in a value makes no folder', () => {
  const metadata = { user_api_key_team_alias: 'a/b/c' };
  assert.equal(nameBy('/l/{team_alias}', { metadata }), '/l/a-b-c');
});

test('a value is put in as it is, also where it looks like a placeholder or a pattern', () => {
  const metadata = { user_api_key_team_alias: '{team_id} $& $1', user_api_key_team_id: 'no' };
  assert.equal(nameBy('{team_alias}', { metadata }), '{team_id} $& $1');
});

test('beyond the most experiments each placeholder is other', () => {
  assert.equal(experimentNaming('/l/{team_alias}/{date:YYYY-MM}').other, '/l/other/other');
  assert.equal(experimentNaming('/l').other, '/l');
});

test('a name is well-formed and at most 256 characters long', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 240, maxLength: 400 }), (alias) => {
      const metadata = { user_api_key_team_alias: alias };
      const name = nameBy('/{team_alias}', { metadata });
      assert.ok(name.length <= 256 && name.isWellFormed());
    }),
    { numRuns: 50 },
  );
});
