import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { z } from 'zod';

const oneOrMore = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

const common = {
  Sid: z.string().regex(/^[A-Za-z0-9]+$/, 'letters and digits'),
  Effect: z.literal('Allow'),
  Action: oneOrMore,
  Condition: z.record(z.string(), z.record(z.string(), oneOrMore)).optional(),
};

/** A policy of permissions names resources, a trust policy principals; neither takes any other key. */
const policy = z.strictObject({
  Version: z.literal('2012-10-17'),
  Statement: z
    .array(
      z.union([
        z.strictObject({ ...common, Resource: oneOrMore }),
        z.strictObject({
          ...common,
          Principal: z.partialRecord(z.enum(['AWS', 'Service', 'Federated']), oneOrMore),
        }),
      ]),
    )
    .min(1),
});

const folder = 'config/iam';
const files = await readdir(folder);
const texts = await Promise.all(files.map((file) => readFile(`${folder}/${file}`, 'utf8')));
const policies = files.map((file, index) => ({ file, value: JSON.parse(texts[index] ?? '') }));
const guide = await readFile('docs/sagemaker.md', 'utf8');

const section = /^## The policies\n(.*?)^## /ms.exec(guide)?.[1] ?? '';

/** The first cells of the section's tables. */
const cells = [...section.matchAll(/^\| (.*?) \|/gm)].map(([, cell = '']) => cell);

/** Every text that stands for a value, at any depth; the names of keys are IAM's own. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

const wordsInCapitals = (text: string) => text.match(/\b[A-Z][A-Z_]+\b/g) ?? [];

test('every policy is one by the rules of IAM', () => {
  for (const { file, value } of policies) {
    const { error } = policy.safeParse(value);
    assert.equal(error, undefined, `${file}: ${error?.message}`);
  }
});

test('no policy grants actions by a pattern', () => {
  for (const { file, value } of policies) {
    for (const { Action } of policy.parse(value).Statement) {
      for (const action of [Action].flat()) {
        assert.match(action, /^[a-z0-9-]+:[A-Za-z0-9]+$/, `${file}: ${action}`);
      }
    }
  }
});

test('the guide explains the words in capitals that the policies hold, and no others', () => {
  const held = policies.flatMap(({ value }) => textsIn(value).flatMap(wordsInCapitals));
  const explained = cells.filter((cell) => /^`[A-Z]/.test(cell)).flatMap(wordsInCapitals);
  assert.deepEqual([...new Set(held)].sort(), explained.sort());
});

test("the guide's table of policies names every file", () => {
  for (const file of files) {
    assert.ok(
      cells.some((cell) => cell.includes(`(../${folder}/${file})`)),
      file,
    );
  }
});
