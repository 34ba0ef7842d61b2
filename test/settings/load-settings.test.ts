import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import type { Environment } from '../../src/settings/environment.ts';
import { loadSettings } from '../../src/settings/load-settings.ts';
import { reportProblems } from '../../src/settings/report-problems.ts';
import type { Settings } from '../../src/settings/schema.ts';
import type { SettingsProblem } from '../../src/settings/settings-problem.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** Settings as they result from a file with `content` and the environment. */
function load(t: TestContext, content: unknown, environment: Environment = {}) {
  const file = join(tempFolder(t), 'sidecar.yaml');
  writeFileSync(file, typeof content === 'string' ? content : stringify(content));
  return loadSettings({ SIDECAR_CONFIG: file, ...environment });
}

function settingsOf(loaded: ReturnType<typeof loadSettings>): Settings {
  assert.equal(loaded.kind, 'valid', JSON.stringify(loaded));
  return loaded.settings;
}

function problemsOf(loaded: ReturnType<typeof loadSettings>): SettingsProblem[] {
  assert.equal(loaded.kind, 'invalid', JSON.stringify(loaded));
  return loaded.problems;
}

const defaults = {
  server: {
    host: '127.0.0.1',
    port: 4100,
    maxBodyBytes: 268_435_456,
    maxInflightBytes: 536_870_912,
  },
  journal: { dir: 'data', retain: 3_600_000, dedupeEntries: 5_000_000, ephemeral: false },
  destination: { share: 0.6, replicas: 1, maxInFlight: 8, timeout: 30_000 },
  artifacts: { upload: 'direct' },
  aws: { assumeRole: [] },
  record: {
    ...{
      experiment: '/litellm-monitoring',
      runs: 'auto',
      calls: 'on',
      traces: 'auto',
      usage: 'on',
    },
    ...{ failuresPerMinute: 20, maxRunsPerDay: 20_000, maxDrain: 1_800_000 },
  },
  shutdown: { grace: 8_000 },
  log: { level: 'info' },
};

test('without file and environment the defaults are those of the manual', (t) => {
  const set = settingsOf(load(t, ''));
  for (const [section, values] of Object.entries(defaults)) {
    assert.partialDeepStrictEqual(Object(set)[section], values);
  }
});

test('the file sets what it names and leaves the rest', (t) => {
  const { server } = settingsOf(load(t, { server: { port: 5100 } }));
  assert.deepEqual([server.port, server.host], [5100, '127.0.0.1']);
});

test('a file that says nothing is one of defaults, but for one that said something before', (t) => {
  const home = process.cwd();
  t.after(() => process.chdir(home));
  // Without SIDECAR_CONFIG the file may be there or not.
  process.chdir(tempFolder(t));
  assert.equal(settingsOf(loadSettings({})).server.port, 4100);
  assert.deepEqual(problemsOf(loadSettings({}, true)), [
    {
      path: 'config/sidecar.yaml',
      value: 'gone',
      allowed: 'as it was, or hold new settings; {} in it stands for the defaults',
    },
  ]);
  mkdirSync('config');
  for (const nothing of ['', '# server: { port: 4200 }', '---\n...\n']) {
    writeFileSync('config/sidecar.yaml', nothing);
    assert.equal(settingsOf(loadSettings({})).server.port, 4100);
    const [problem] = problemsOf(loadSettings({}, true));
    assert.equal(problem?.value, 'empty');
  }
  writeFileSync('config/sidecar.yaml', '{}');
  assert.equal(settingsOf(loadSettings({}, true)).server.port, 4100);
});

test('the environment goes before the file', (t) => {
  const file = { server: { port: 5100, host: '::1' }, record: { experiment: '/file' } };
  const { server, record } = settingsOf(
    load(t, file, { SIDECAR_PORT: '6100', MLFLOW_EXPERIMENT_NAME: '/environment' }),
  );
  assert.deepEqual([server.port, server.host], [6100, '::1']);
  assert.equal(record.experiment, '/environment');
});

const byVariable: readonly (readonly [
  variable: string,
  text: string,
  path: string,
  value: unknown,
])[] = [
  ['SIDECAR_HOST', '0.0.0.0', 'server.host', '0.0.0.0'],
  ['SIDECAR_PORT', '0', 'server.port', 0],
  ['SIDECAR_AUTH_TOKEN', '12345678', 'server.authToken', '12345678'],
  ['SIDECAR_DATA_DIR', '/data', 'journal.dir', '/data'],
  ['SIDECAR_RECORD_RUNS', 'all', 'record.runs', 'all'],
  ['SIDECAR_RECORD_CALLS', 'off', 'record.calls', 'off'],
  ['SIDECAR_RECORD_TRACES', 'on', 'record.traces', 'on'],
  ['SIDECAR_JOURNAL_EPHEMERAL', 'true', 'journal.ephemeral', true],
  ['SIDECAR_SHUTDOWN_GRACE', '110s', 'shutdown.grace', 110_000],
  ['SIDECAR_ARCHIVE_URI', 's3://bucket/calls', 'archive.uri', 's3://bucket/calls'],
  ['SIDECAR_LOG_LEVEL', 'debug', 'log.level', 'debug'],
  ['SIDECAR_REQUESTS_PER_SECOND', '2.5', 'destination.requestsPerSecond', 2.5],
  [
    'MLFLOW_TRACKING_URI',
    'https://mlflow.test/x',
    'destination.trackingUri',
    'https://mlflow.test/x',
  ],
  ['MLFLOW_TRACKING_TOKEN', '12345678', 'destination.token', '12345678'],
  ['MLFLOW_EXPERIMENT_NAME', '/e/{team_alias}', 'record.experiment', '/e/{team_alias}'],
];

for (const [variable, text, path, value] of byVariable) {
  test(`${variable} sets ${path}`, (t) => {
    const settings = settingsOf(load(t, '', { [variable]: text }));
    const [section = '', name = ''] = path.split('.');
    assert.equal(Object(settings)[section][name], value);
  });
}

test('user name and password come together', (t) => {
  const both = { MLFLOW_TRACKING_USERNAME: 'ada', MLFLOW_TRACKING_PASSWORD: 'lovelace' };
  const { destination } = settingsOf(load(t, '', both));
  assert.deepEqual([destination.username, destination.password], ['ada', 'lovelace']);
});

test('an empty variable sets nothing', (t) => {
  const { server } = settingsOf(load(t, { server: { port: 5100 } }, { SIDECAR_PORT: '' }));
  assert.equal(server.port, 5100);
});

for (const [variable, path] of [
  ['SIDECAR_AUTH_TOKEN', 'server.authToken'],
  ['MLFLOW_TRACKING_TOKEN', 'destination.token'],
] as const) {
  test(`${variable} can come from a file, whose last line end is no part of it`, (t) => {
    const file = join(tempFolder(t), 'secret');
    writeFileSync(file, 'from-a-file\n');
    const settings = settingsOf(load(t, '', { [`${variable}_FILE`]: file }));
    const [section = '', name = ''] = path.split('.');
    assert.equal(Object(settings)[section][name], 'from-a-file');
  });

  test(`${variable} and a file for it are one too many`, (t) => {
    const environment = { [variable]: 'some-secret', [`${variable}_FILE`]: '/some/file' };
    const [problem] = problemsOf(load(t, '', environment));
    assert.equal(problem?.path, `${variable}_FILE`);
    assert.match(problem?.allowed ?? '', /not both/);
  });

  test(`a file for ${variable} that cannot be read is named`, (t) => {
    const [problem] = problemsOf(load(t, '', { [`${variable}_FILE`]: '/no/such/file' }));
    assert.deepEqual(problem, {
      path: `${variable}_FILE`,
      value: '/no/such/file',
      allowed: 'a file that can be read',
    });
  });
}

test('what is no secret has no file', (t) => {
  const loaded = load(t, '', { SIDECAR_PORT_FILE: '/some/file' });
  assert.equal(
    loaded.kind === 'valid' && loaded.warnings[0],
    'SIDECAR_PORT_FILE sets nothing; is it misspelt?',
  );
});

test('variables that set nothing are reported, those of others are not', (t) => {
  const loaded = load(t, '', {
    SIDECAR_PROT: '1',
    SIDECAR_NOTHING: '1',
    SIDECAR_AUTH_TOKEN_FILES: 'x',
    SIDECAR_EVENTS_URL: 'http://sidecar:4100/v1/events',
    PATH: '/bin',
    MLFLOW_HOME: 'x',
  });
  assert.equal(loaded.kind, 'valid');
  assert.deepEqual(loaded.warnings.sort(), [
    'SIDECAR_AUTH_TOKEN_FILES sets nothing; is SIDECAR_AUTH_TOKEN_FILE meant?',
    'SIDECAR_NOTHING sets nothing; is it misspelt?',
    'SIDECAR_PROT sets nothing; is SIDECAR_PORT meant?',
  ]);
});

test('all mistakes are found at once, each with path, value and what is allowed', (t) => {
  const problems = problemsOf(
    load(
      t,
      {
        server: { port: 99_999, hots: 'localhost', maxBodyBytes: '12 apples' },
        journal: { retain: 5 },
        nonsense: true,
        record: { runs: 'some' },
        log: 'loud',
      },
      { SIDECAR_REQUESTS_PER_SECOND: 'fast', MLFLOW_TRACKING_URI: 'mlflow:5000' },
    ),
  );
  const byPath = new Map(problems.map((problem) => [problem.path, problem]));
  assert.deepEqual(
    new Set(byPath.keys()),
    new Set([
      'server.port',
      'server.hots',
      'server.maxBodyBytes',
      'journal.retain',
      'nonsense',
      'record.runs',
      'log',
      'SIDECAR_REQUESTS_PER_SECOND (destination.requestsPerSecond)',
      'MLFLOW_TRACKING_URI (destination.trackingUri)',
    ]),
  );
  assert.deepEqual(byPath.get('server.port'), {
    path: 'server.port',
    value: '99999',
    allowed: 'a whole number from 0 to 65535',
  });
  assert.match(byPath.get('server.maxBodyBytes')?.allowed ?? '', /^a size from 64KiB to 2GiB/);
  assert.deepEqual(byPath.get('server.hots'), {
    path: 'server.hots',
    value: '"localhost"',
    allowed: 'left out: there is no such setting; is server.host meant?',
  });
  assert.deepEqual(byPath.get('nonsense'), {
    path: 'nonsense',
    value: '(hidden)',
    allowed: 'left out: there is no such setting; config/sidecar.yaml has those there are',
  });
  assert.equal(byPath.get('log')?.allowed, 'a mapping of settings');
  assert.match(
    byPath.get('MLFLOW_TRACKING_URI (destination.trackingUri)')?.value ?? '',
    /mlflow:5000/,
  );
  const report = reportProblems(problems, 'sidecar.yaml');
  for (const { path, value, allowed } of problems) {
    assert.ok(report.includes(`\n  ${path}: is ${value}, must be ${allowed}`), path);
  }
  assert.equal(report.split('\n').length, problems.length + 1);
});

const contradictory: readonly (readonly [what: string, content: object, path: string])[] = [
  [
    'a disk that does not last, without chunks to keep what is pending',
    { journal: { ephemeral: true }, record: { calls: 'off' } },
    'record.calls',
  ],
  [
    'less in flight than one body',
    { server: { maxBodyBytes: '64MiB', maxInflightBytes: '32MiB' } },
    'server.maxInflightBytes',
  ],
  [
    'a token and a password',
    { destination: { token: 't', username: 'u', password: 'p' } },
    'destination.token',
  ],
  ['a user name alone', { destination: { username: 'u' } }, 'destination.username'],
  ['a password alone', { destination: { password: 'p' } }, 'destination.username'],
  [
    'credentials in the URL',
    { destination: { trackingUri: 'http://u:p@host' } },
    'destination.trackingUri',
  ],
  [
    'a password in the URL of the redactor',
    { redact: { url: 'http://:p@127.0.0.1:1' } },
    'redact.url',
  ],
];

for (const [what, content, path] of contradictory) {
  test(`${what} is a contradiction`, (t) => {
    assert.deepEqual(
      problemsOf(load(t, content)).map((problem) => problem.path),
      [path],
    );
  });
}

const wrongFiles: readonly (readonly [what: string, content: string, allowed: RegExp])[] = [
  ['no YAML', 'server: [', /^YAML/],
  ['a list', '- server\n', /a mapping of sections/],
  ['a word', 'hello', /a mapping of sections/],
  ['a key twice', 'log: {}\nlog: {}\n', /^YAML/],
];

for (const [what, content, allowed] of wrongFiles) {
  test(`a file that is ${what} is refused by its name`, (t) => {
    const [problem] = problemsOf(load(t, content));
    assert.match(problem?.path ?? '', /sidecar\.yaml$/);
    assert.match(problem?.allowed ?? '', allowed);
  });
}

test('a file that was named and is not there is a mistake', () => {
  const [problem] = problemsOf(loadSettings({ SIDECAR_CONFIG: '/no/such/file.yaml' }));
  assert.deepEqual(problem, {
    path: 'SIDECAR_CONFIG',
    value: '/no/such/file.yaml',
    allowed: 'a file that can be read',
  });
});

test('a secret that is too short is not shown, nor what stands in a list or mapping', (t) => {
  const content = { server: { authToken: 'short', host: ['x'], port: { a: 1 } } };
  assert.deepEqual(
    problemsOf(load(t, content)).map(({ path, value }) => [path, value]),
    [
      ['server.host', 'a list'],
      ['server.port', 'a mapping'],
      ['server.authToken', '(hidden)'],
    ],
  );
});

const secret = fc
  .string({ unit: fc.constantFrom(...'abcXYZ019!@/:#%_-.'), minLength: 12, maxLength: 40 })
  .map((text) => `s3cr3t${text}`);

test('no secret is ever shown, however wrong the settings around it are', (t) => {
  const folder = tempFolder(t);
  const where = fc.constantFrom<
    (value: string) => { content?: unknown; environment?: Environment }
  >(
    (value) => ({ environment: { SIDECAR_AUTH_TOKEN: value, SIDECAR_AUTH_TOKEN_FILE: '/x' } }),
    (value) => ({ environment: { MLFLOW_TRACKING_TOKEN: value, MLFLOW_TRACKING_USERNAME: 'u' } }),
    (value) => ({ environment: { MLFLOW_TRACKING_PASSWORD: value } }),
    (value) => ({ environment: { MLFLOW_TRACKING_URI: `http://ada:${value}@host` } }),
    (value) => ({ environment: { MLFLOW_TRACKING_URI: `ftp://ada:${value}@host` } }),
    (value) => ({ content: { destination: { trackingUri: `ada:${value}@host:5000` } } }),
    (value) => ({ content: { destination: { trackingUri: [`http://ada:${value}@host`] } } }),
    (value) => ({ content: { server: { authToken: [value] } } }),
    (value) => ({ content: { server: { authToken: { value } } } }),
    (value) => ({ content: { destination: [{ token: value }] } }),
    (value) => ({ content: { destination: { tokn: value } } }),
    (value) => ({ content: { destination: { token: value, password: value } } }),
    (value) => ({ content: { server: { host: { authToken: value } } } }),
    (value) => ({ content: { authToken: value } }),
  );
  fc.assert(
    fc.property(secret, where, (value, place) => {
      const { content = {}, environment = {} } = place(value);
      const file = join(folder, 'sidecar.yaml');
      writeFileSync(file, stringify(content));
      const loaded = loadSettings({ SIDECAR_CONFIG: file, SIDECAR_PORT: 'x', ...environment });
      const problems = problemsOf(loaded);
      const report = reportProblems(problems, file) + JSON.stringify(problems);
      assert.ok(!report.includes(value), report);
      assert.ok(!report.includes(value.slice(-10)), report);
    }),
    { numRuns: 300 },
  );
});
