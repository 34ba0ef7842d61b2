import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { type Environment, variables } from '../../src/settings/environment.ts';
import { loadSettings } from '../../src/settings/load-settings.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { editorSchema, type JsonSchema, uncommented } from './example-file.ts';

/** The paths of all settings that hold no others, with their schemas. */
function* leavesOf(
  { properties }: JsonSchema,
  path: string[] = [],
): Generator<[string[], JsonSchema]> {
  for (const [name, member] of Object.entries(properties ?? {})) {
    const at = [...path, name];
    if (member.properties === undefined) yield [at, member];
    else yield* leavesOf(member, at);
  }
}

const leaves = [...leavesOf(editorSchema)];

function variableOf(path: readonly string[]): string {
  return `SIDECAR_${path.join('_').replaceAll(/[A-Z]/g, '_$&').toUpperCase()}`;
}

/** An example of each: those of the settings file, and of what it shows within another. */
const examples = {
  ...parse(uncommented),
  record: {
    ...parse(uncommented).record,
    mark: { slow: '30s', cost: 1.5, tags: ['audit'], models: ['gpt-4o'], teams: ['a, b'] },
  },
};

function valueAt(from: unknown, path: readonly string[]): unknown {
  return path.reduce((at, name) => Object(at)[name], from);
}

function load(t: TestContext, content: unknown, environment: Environment = {}) {
  const file = join(tempFolder(t), 'sidecar.yaml');
  writeFileSync(file, stringify(content));
  return loadSettings({ SIDECAR_CONFIG: file, ...environment });
}

function nested(path: readonly string[], value: unknown): unknown {
  return path.reduceRight((inner, name) => ({ [name]: inner }), value);
}

/** What a setting needs beside it to be no contradiction. */
const beside: Readonly<Record<string, object>> = {
  'destination.username': { destination: { password: 'p' } },
  'destination.password': { destination: { username: 'u' } },
  'destination.trackingServerName': { aws: { region: 'eu-west-1' } },
};

for (const [path, { writeOnly }] of leaves) {
  const variable = variableOf(path);
  const example = valueAt(examples, path);
  const text = typeof example === 'object' ? JSON.stringify(example) : String(example);

  test(`${variable} sets ${path.join('.')}, over the file`, (t) => {
    assert.notEqual(example, undefined, 'there is an example');
    const others = beside[path.join('.')] ?? {};
    const inFile = (value: unknown) => {
      const [section = '', ...rest] = path;
      return {
        ...others,
        [section]: { ...Object(others)[section], ...Object(nested(rest, value)) },
      };
    };
    assert.equal(load(t, inFile(null)).kind, 'invalid', 'the file alone is wrong');
    const fromFile = load(t, inFile(example));
    const given = load(t, inFile(null), { [variable]: text });
    assert.ok(fromFile.kind === 'valid' && given.kind === 'valid', JSON.stringify(given));
    assert.deepEqual(given.settings, fromFile.settings);
    assert.deepEqual(given.warnings, fromFile.warnings);
  });

  if (writeOnly) {
    test(`${variable} can come from a file`, (t) => {
      const file = join(tempFolder(t), 'secret');
      writeFileSync(file, `${text}\n`);
      const loaded = load(t, beside[path.join('.')] ?? {}, { [`${variable}_FILE`]: file });
      assert.equal(loaded.kind === 'valid' && valueAt(loaded.settings, path), text);
    });
  }
}

test('no two settings have a variable of the same name, and none is that of a file for a secret', () => {
  const names = leaves.flatMap(([path, { writeOnly }]) =>
    writeOnly ? [variableOf(path), `${variableOf(path)}_FILE`] : [variableOf(path)],
  );
  assert.equal(new Set(names).size, names.length);
  const ownNames = new Set(leaves.map(([path]) => variableOf(path)));
  for (const [name, { path }] of variables) {
    assert.ok(!ownNames.has(name) || variableOf(path) === name, name);
  }
});

const contract = [
  ...['MLFLOW_TRACKING_URI', 'MLFLOW_TRACKING_SERVER_NAME', 'MLFLOW_EXPERIMENT_NAME'],
  ...['MLFLOW_TRACKING_USERNAME', 'MLFLOW_TRACKING_PASSWORD', 'MLFLOW_TRACKING_TOKEN'],
  ...['AWS_REGION_NAME', 'AWS_REGION', 'SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT'],
  ...['SAGEMAKER_MLFLOW_ASSUME_ROLE_ARN', 'SIDECAR_HOST', 'SIDECAR_PORT', 'SIDECAR_AUTH_TOKEN'],
  ...['SIDECAR_DATA_DIR', 'SIDECAR_REQUESTS_PER_SECOND', 'SIDECAR_REPLICAS'],
  ...['SIDECAR_RECORD_RUNS', 'SIDECAR_RECORD_TRACES', 'SIDECAR_USAGE_INTERVAL'],
  'SIDECAR_LOG_LEVEL',
];

test('names that are known from elsewhere, or short, are read too', () => {
  for (const name of contract) assert.ok(variables.has(name), name);
});

test('of two variables for one setting the one by its path counts', (t) => {
  const loaded = load(
    t,
    {},
    {
      ...{ AWS_REGION: 'eu-west-1', SIDECAR_AWS_REGION: 'eu-west-2' },
      ...{ SIDECAR_SERVER_PORT: '1', SIDECAR_PORT: 'tcp://10.0.0.1:4100' },
    },
  );
  assert.ok(loaded.kind === 'valid', JSON.stringify(loaded));
  assert.deepEqual([loaded.settings.aws.region, loaded.settings.server.port], ['eu-west-2', 1]);
});

for (const [text, list] of [
  ['model', ['model']],
  ['model, key', ['model', 'key']],
  ['["model","key"]', ['model', 'key']],
  ['[model, key]', ['model', 'key']],
  ['[]', []],
] as const) {
  test(`a list of words can be written ${text}`, (t) => {
    const loaded = load(t, {}, { SIDECAR_USAGE_BY: text });
    assert.deepEqual(loaded.kind === 'valid' && loaded.settings.usage.by, list);
  });
}

test('a mapping can be set whole, and parts of it besides', (t) => {
  const loaded = load(
    t,
    {},
    {
      SIDECAR_RECORD_MARK: '{slow: 30s, tags: [audit]}',
      SIDECAR_RECORD_MARK_COST: '2',
      SIDECAR_RECORD_MARK_SLOW: '1m',
    },
  );
  assert.ok(loaded.kind === 'valid', JSON.stringify(loaded));
  assert.deepEqual(loaded.settings.record.mark, {
    ...{ slow: 60_000, cost: 2, tags: ['audit'], models: [], teams: [] },
  });
});

for (const [variable, text, path, value, allowed] of [
  [
    'SIDECAR_USAGE_BY',
    '["model"',
    'usage.by',
    /^a text with a mistake at character 9$/,
    /^words with commas between them, or a list/,
  ],
  ['SIDECAR_USAGE_BY', 'model,user', 'usage.by.1', /^"user"$/, /^one of model, team, key$/],
  [
    'SIDECAR_REDACT_RULES',
    '[{"team": "a",',
    'redact.rules',
    /^a text with a mistake at character/,
    /^a list as JSON/,
  ],
  ['SIDECAR_REDACT_RULES', 'a', 'redact.rules', /^"a"$/, /^a list of rules$/],
  [
    'SIDECAR_LITELLM_CACHE_PARAMS',
    '{"a": s3cr3t',
    'litellm.cacheParams',
    /^a text with a mistake at character/,
    /^a mapping as JSON/,
  ],
  [
    'SIDECAR_LITELLM_CACHE_PARAMS',
    '[1]',
    'litellm.cacheParams',
    /^a list$/,
    /^a mapping of cache_params$/,
  ],
  ['SIDECAR_RECORD_MARK', '{"slow": 3}', 'record.mark.slow', /^3$/, /^a duration/],
  [
    'SIDECAR_RECORD_MARK',
    '{"slwo": "3s"}',
    'record.mark.slwo',
    /^"3s"$/,
    /no such setting; is record\.mark\.slow meant\?$/,
  ],
  ['SIDECAR_JOURNAL_MAX_BYTES', '20', 'journal.maxBytes', /^"20"$/, /^a size from/],
  ['SIDECAR_REDACT_KEEP_BINARY', 'yes', 'redact.keepBinary', /^"yes"$/, /^true or false$/],
  [
    'SIDECAR_DESTINATION_SHARE',
    'Infinity',
    'destination.share',
    /^"Infinity"$/,
    /^a number from 0\.01 to 1$/,
  ],
] as const) {
  test(`${variable}=${text} is one mistake, with the variable, its value and what is allowed`, (t) => {
    const loaded = load(t, {}, { [variable]: text });
    assert.ok(loaded.kind === 'invalid');
    const [problem, ...others] = loaded.problems;
    assert.deepEqual([problem?.path, others], [`${variable} (${path})`, []]);
    assert.match(problem?.value ?? '', value);
    assert.match(problem?.allowed ?? '', allowed);
    assert.ok(!JSON.stringify(loaded).includes('s3cr3t'));
  });
}

test('whatever a variable holds, the settings are read or refused, and what is broken is not shown', (t) => {
  const names = leaves.map(([path]) => variableOf(path));
  const file = join(tempFolder(t), 'sidecar.yaml');
  writeFileSync(file, '');
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.string({ unit: 'binary' }), (name, text) => {
      const loaded = loadSettings({ SIDECAR_CONFIG: file, [name]: text });
      if (loaded.kind === 'valid') return;
      for (const { value, allowed } of loaded.problems) {
        assert.ok(value.length > 0 && value.length <= 200);
        assert.ok(allowed.length > 0);
      }
    }),
    { numRuns: 500 },
  );
});
