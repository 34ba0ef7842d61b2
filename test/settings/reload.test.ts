import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reloadSettings } from '../../src/settings/reload.ts';
import { type Settings, settingsSchema } from '../../src/settings/schema.ts';

const settings = (given: object): Settings => settingsSchema.parse(given);

test('settings that can change while the program runs are taken over', () => {
  const running = settings({ server: { authToken: 'first-token' } });
  const read = settings({
    server: { authToken: 'second-token' },
    destination: { username: 'u', password: 'p', timeout: '5s', requestsPerSecond: 7 },
    journal: { retain: '2h' },
    record: { experiment: '/other' },
    redact: { bodies: 'drop' },
    shutdown: { grace: '1s' },
    log: { level: 'debug' },
  });
  const reload = reloadSettings(running, read);
  assert.deepEqual(reload.settings, read);
  assert.deepEqual(reload.afterRestart, []);
  assert.deepEqual(reload.changed.sort(), [
    'destination.password',
    'destination.requestsPerSecond',
    'destination.timeout',
    'destination.username',
    'journal.retain',
    'log.level',
    'record.experiment',
    'redact.bodies',
    'server.authToken',
    'shutdown.grace',
  ]);
});

test('settings that take a restart stay as they were, and are named', () => {
  const running = settings({ journal: { maxBytes: '1GB' } });
  const read = settings({
    server: { host: '0.0.0.0', port: 1, maxBodyBytes: '1MiB', maxInflightBytes: '2MiB' },
    journal: { dir: 'elsewhere', dedupeEntries: 1_000 },
    destination: { trackingUri: 'http://other:1', maxInFlight: 1 },
  });
  const reload = reloadSettings(running, read);
  assert.deepEqual(reload.settings, running);
  assert.deepEqual(reload.changed, []);
  assert.deepEqual(reload.afterRestart.sort(), [
    'destination.maxInFlight',
    'destination.trackingUri',
    'journal.dedupeEntries',
    'journal.dir',
    'journal.maxBytes',
    'server.host',
    'server.maxBodyBytes',
    'server.maxInflightBytes',
    'server.port',
  ]);
});

test('credentials of another server wait for the restart that leads there', () => {
  const running = settings({ destination: { trackingUri: 'http://old:1', token: 'old' } });
  const read = settings({ destination: { trackingUri: 'http://new:1', token: 'new' } });
  const reload = reloadSettings(running, read);
  assert.deepEqual(reload.settings, running);
  assert.deepEqual(reload.afterRestart.sort(), ['destination.token', 'destination.trackingUri']);
});

test('a setting that is no longer given goes back to its default', () => {
  const reload = reloadSettings(settings({ destination: { requestsPerSecond: 3 } }), settings({}));
  assert.deepEqual(reload.changed, ['destination.requestsPerSecond']);
  assert.equal(reload.settings.destination.requestsPerSecond, undefined);
});

test('the same settings change nothing', () => {
  const given = { redact: { patterns: ['e-mail'] }, log: { level: 'warn' } };
  const reload = reloadSettings(settings(given), settings(given));
  assert.deepEqual([reload.changed, reload.afterRestart], [[], []]);
});
