import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadSettings } from '../../src/settings/load-settings.ts';
import { tempFolder } from '../support/temp-folder.ts';

function load(t: TestContext, usage: string, environment: Record<string, string> = {}) {
  const file = join(tempFolder(t), 'sidecar.yaml');
  writeFileSync(file, usage === '' ? '' : `usage: { ${usage} }\n`);
  return loadSettings({ SIDECAR_CONFIG: file, ...environment });
}

for (const [setting, path] of [
  ['interval: 2.5', 'usage.interval'],
  ['interval: 61', 'usage.interval'],
  ['interval: 0', 'usage.interval'],
  ['interval: 120', 'usage.interval'],
  ['timeZone: Europe/Nowhere', 'usage.timeZone'],
  ['by: [model, user]', 'usage.by'],
  ['by: [model, model]', 'usage.by'],
  ['maxSeries: 0', 'usage.maxSeries'],
] as const) {
  test(`usage is not kept with ${setting}`, (t) => {
    const loaded = load(t, setting);
    assert.ok(loaded.kind === 'invalid');
    assert.ok(loaded.problems[0]?.path.startsWith(path), JSON.stringify(loaded.problems));
  });
}

for (const minutes of [1, 7, 59, 60]) {
  test(`an interval of ${minutes} minutes is as good as any`, (t) => {
    const loaded = load(t, `interval: ${minutes}`);
    assert.equal(loaded.kind === 'valid' && loaded.settings.usage.interval, minutes);
  });
}

test('usage is kept by model and team every five minutes, unless told otherwise', (t) => {
  const plain = load(t, '');
  assert.ok(plain.kind === 'valid');
  const { usage, record } = plain.settings;
  assert.deepEqual(usage, { interval: 5, timeZone: 'UTC', by: ['model', 'team'], maxSeries: 100 });
  assert.equal(record.usage, 'on');
  const told = load(t, 'timeZone: Europe/Berlin, by: []', {
    SIDECAR_RECORD_USAGE: 'off',
    SIDECAR_USAGE_INTERVAL: '15',
  });
  assert.ok(told.kind === 'valid');
  assert.deepEqual(
    [told.settings.record.usage, told.settings.usage.interval, told.settings.usage.by],
    ['off', 15, []],
  );
});
