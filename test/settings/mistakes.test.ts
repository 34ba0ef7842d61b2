import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { stringify } from 'yaml';
import type { Environment } from '../../src/settings/environment.ts';
import { loadSettings } from '../../src/settings/load-settings.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { editorSchema, type JsonSchema } from './example-file.ts';

function problemsOf(t: TestContext, content: unknown, environment: Environment = {}) {
  const file = join(tempFolder(t), 'sidecar.yaml');
  writeFileSync(file, stringify(content));
  const loaded = loadSettings({ SIDECAR_CONFIG: file, ...environment });
  return loaded.kind === 'invalid' ? loaded.problems : [];
}

const pathsOf = (problems: readonly { path: string }[]) => problems.map(({ path }) => path);

test('settings that do not go together are found beside those that are wrong by themselves', (t) => {
  const problems = problemsOf(
    t,
    { aws: { regio: 'eu-west-1' }, journal: 7, redact: { identities: 'hash', bodies: 'all' } },
    { SIDECAR_PORT: 'abc', MLFLOW_TRACKING_USERNAME: 'ada' },
  );
  assert.deepEqual(pathsOf(problems).sort(), [
    'SIDECAR_PORT (server.port)',
    'aws.regio',
    'destination.username',
    'journal',
    'redact.bodies',
    'redact.hashKey',
  ]);
});

for (const [what, content, environment, path] of [
  [
    'a password of a wrong kind',
    { destination: { username: 'ada', password: 7 } },
    {},
    'destination.password',
  ],
  [
    'a file for a password that cannot be read',
    { destination: { username: 'ada' } },
    { MLFLOW_TRACKING_PASSWORD_FILE: '/no/such/file' },
    'MLFLOW_TRACKING_PASSWORD_FILE',
  ],
  [
    'a key that is too short',
    { redact: { identities: 'hash', hashKey: 'short' } },
    {},
    'redact.hashKey',
  ],
  [
    'a size that is none',
    { server: { maxBodyBytes: '1GiB', maxInflightBytes: 'much' } },
    {},
    'server.maxInflightBytes',
  ],
  [
    'a section that is none',
    { aws: 'here', destination: { trackingServerName: 'llm' } },
    {},
    'aws',
  ],
  [
    'a list that cannot be read',
    {},
    { SIDECAR_AWS_ASSUME_ROLE: '[', SIDECAR_PORT: '1' },
    'SIDECAR_AWS_ASSUME_ROLE (aws.assumeRole)',
  ],
] as const) {
  test(`${what} is one mistake: what stands in for it contradicts nothing`, (t) => {
    assert.deepEqual(pathsOf(problemsOf(t, content, environment)), [path]);
  });
}

test('where the file cannot be read, the mistakes of the environment are told of, too', (t) => {
  const file = join(tempFolder(t), 'sidecar.yaml');
  writeFileSync(file, 'server: [');
  const wrong = {
    ...{ SIDECAR_PORT: 'abc', SIDECAR_AUTH_TOKEN_FILE: '/no/such/file' },
    ...{ MLFLOW_TRACKING_USERNAME: 'ada', MLFLOW_TRACKING_TOKEN: 'a-token' },
  };
  for (const [named, path] of [
    ['/no/such/file.yaml', 'SIDECAR_CONFIG'],
    [file, file],
  ] as const) {
    const loaded = loadSettings({ SIDECAR_CONFIG: named, ...wrong });
    assert.ok(loaded.kind === 'invalid');
    // The file may hold the password; a token and a user name never go together.
    assert.deepEqual(pathsOf(loaded.problems), [
      path,
      'SIDECAR_AUTH_TOKEN_FILE',
      'SIDECAR_PORT (server.port)',
      'destination.token',
    ]);
  }
});

test('a value that fails several checks is one mistake', (t) => {
  for (const content of [
    { usage: { interval: 0 } },
    { server: { port: 1e300 } },
    { redact: { hashKey: '' } },
    { aws: { assumeRole: [{ roleArn: '' }] } },
  ]) {
    assert.equal(problemsOf(t, content).length, 1, JSON.stringify(content));
  }
});

test('what is not set is said to be unset', (t) => {
  const [region, ...none] = problemsOf(t, { destination: { trackingServerName: 'llm-calls' } });
  assert.deepEqual([region?.path, region?.value, none], ['aws.region', 'unset', []]);
  const [username] = problemsOf(t, { destination: { password: 'p' } });
  assert.equal(username?.value, 'unset');
  const [known] = problemsOf(t, { destination: { username: 'ada' } });
  assert.equal(known?.value, '"ada"');
  const [action] = problemsOf(t, { redact: { fields: [{ path: 'response' }] } });
  assert.deepEqual([action?.path, action?.value], ['redact.fields.0.action', 'unset']);
});

for (const [content, path, value, meant] of [
  [{ server: { prot: 4100 } }, 'server.prot', '4100', 'server.port'],
  [{ servers: { port: 1 } }, 'servers', 'a mapping', 'server'],
  [{ usage: { by_: ['x'] } }, 'usage.by_', 'a list', 'usage.by'],
  [
    { redact: { rules: [{ teem: 'a', bodies: 'drop', team: 'b' }] } },
    'redact.rules.0.teem',
    '"a"',
    'redact.rules.0.team',
  ],
  // What is most likely a secret, what may be one, and what was meant to be a mapping.
  [{ destination: { tokn: 's3cr3t' } }, 'destination.tokn', '(hidden)', 'destination.token'],
  [{ destination: { pasword: 1234 } }, 'destination.pasword', '(hidden)', 'destination.password'],
  [{ log: { credential: 's3cr3t' } }, 'log.credential', '(hidden)', undefined],
  [{ sever: 's3cr3t' }, 'sever', '(hidden)', 'server'],
  [{ litellm: { cacheParam: 's3cr3t' } }, 'litellm.cacheParam', '(hidden)', 'litellm.cacheParams'],
] as const) {
  test(`${JSON.stringify(content)} is no setting; ${meant ?? 'none'} is near`, (t) => {
    const [problem, ...others] = problemsOf(t, content);
    assert.deepEqual(others, []);
    const advice =
      meant === undefined ? 'config/sidecar.yaml has those there are' : `is ${meant} meant?`;
    const allowed = `left out: there is no such setting; ${advice}`;
    assert.deepEqual(problem, { path, value, allowed });
  });
}

test('a text where a session tag has no name is told what is allowed', (t) => {
  const roleArn = 'arn:aws:iam::111122223333:role/recorder';
  const [problem] = problemsOf(t, { aws: { assumeRole: [{ roleArn, tags: { '': 'x' } }] } });
  assert.equal(problem?.allowed, 'a mapping of session tags, whose names have 1 to 128 characters');
});

/** A wrong value of every kind, at every depth that a setting may have. */
const wrongOnes = [
  null,
  true,
  -0.5,
  1e300,
  'x'.repeat(600),
  '',
  [],
  [7],
  ['x'],
  [[]],
  [{}],
  [null],
];
const wrongMappings = [{}, { '': {} }, { x: [] }];

function* pathsIn({ properties, items }: JsonSchema, path: string[] = []): Generator<string[]> {
  if (path.length > 0) yield path;
  for (const [name, member] of Object.entries(properties ?? {}))
    yield* pathsIn(member, [...path, name]);
  if (items !== undefined) yield* pathsIn(items, [...path, '[]']);
}

test('every message is in words that follow "must be", whatever is wrong', (t) => {
  const file = join(tempFolder(t), 'sidecar.yaml');
  let count = 0;
  for (const path of pathsIn(editorSchema)) {
    for (const wrong of [...wrongOnes, ...wrongMappings]) {
      const content = path.reduceRight<unknown>(
        (inner, step) => (step === '[]' ? [inner] : { [step]: inner }),
        wrong,
      );
      writeFileSync(file, stringify(content));
      const loaded = loadSettings({ SIDECAR_CONFIG: file });
      if (loaded.kind === 'valid') continue;
      for (const { path: at, value, allowed } of loaded.problems) {
        count += 1;
        // What zod and others say by themselves begins with a capital letter.
        const form =
          /^(an? |at most|at least|one of|on |set |true or false|'\w+'|left out|words? |the (name|id|ARN)|[a-z]+ or )/;
        assert.match(allowed, form, `${at} ${value}`);
        assert.ok(value.length > 0);
      }
    }
  }
  assert.ok(count > 500);
});
