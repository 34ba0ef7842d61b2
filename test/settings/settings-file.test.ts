import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { settingsJsonSchema } from '../../src/settings/json-schema.ts';
import { loadSettings } from '../../src/settings/load-settings.ts';
import { settingsSchema } from '../../src/settings/schema.ts';
import {
  exampleFile as file,
  editorSchema as schema,
  uncommented,
  exampleText as written,
} from './example-file.ts';

/** The paths of the values in `content`, two levels deep. */
function pathsOf(content: Record<string, object>): string[] {
  return Object.entries(content).flatMap(([section, values]) =>
    Object.keys(values).map((name) => `${section}.${name}`),
  );
}

const settingsOfSchema = Object.entries(schema.properties ?? {}).flatMap(
  ([section, { properties }]) =>
    Object.entries(properties ?? {}).map(([name, setting]) => ({
      path: `${section}.${name}`,
      setting,
    })),
);

test('the JSON Schema for editors is the one of the program: npm run schema', () => {
  assert.deepEqual(schema, JSON.parse(JSON.stringify(settingsJsonSchema())));
});

test('the file of the settings says the defaults', () => {
  const loaded = loadSettings({ SIDECAR_CONFIG: file });
  assert.equal(loaded.kind, 'valid');
  assert.deepEqual(loaded.settings, settingsSchema.parse({}));
});

test('the file sets each setting that has a default, and no other', () => {
  assert.deepEqual(
    pathsOf(parse(written)).sort(),
    settingsOfSchema
      .filter(({ setting }) => 'default' in setting)
      .map(({ path }) => path)
      .sort(),
  );
});

test('the file names every setting, those without a default in a comment, with a valid example', () => {
  const content: Record<string, object> = parse(uncommented);
  assert.deepEqual(pathsOf(content).sort(), settingsOfSchema.map(({ path }) => path).sort());
  const parsed = settingsSchema.safeParse(content);
  assert.ok(parsed.success, parsed.error?.message);
});

test('the file explains every setting in the words of the schema, right above it', () => {
  const lines = written.split('\n').map((line) => line.trim());
  for (const { path, setting } of settingsOfSchema) {
    const name = path.split('.')[1] ?? '';
    const above = lines.indexOf(`# ${setting.description}`);
    assert.notEqual(above, -1, path);
    assert.match(lines[above + 1] ?? '', new RegExp(`^(# )?${name}: `), path);
  }
});

test('editors find the schema by the first line', () => {
  assert.equal(written.split('\n')[0], '# yaml-language-server: $schema=sidecar.schema.json');
});
