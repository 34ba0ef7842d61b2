import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { test } from 'node:test';

/**
 * What each folder may import of the others, along the path of a call. `only` names the files at the
 * border, where there is one; `types` allows no code across it, so that the root joins both sides.
 */
interface Arrow {
  to: string;
  only?: readonly string[];
  types?: true;
}

const journalBorder = ['journal.ts', 'account.ts', 'detail.ts', 'dead-letter.ts', 'damage.ts'];

const allowed: Readonly<Record<string, readonly Arrow[]>> = {
  settings: [{ to: 'aws', only: ['mlflow-resource.ts'] }],
  call: [],
  admit: [{ to: 'call' }],
  journal: [{ to: 'call' }, { to: 'admit' }],
  record: [{ to: 'call' }],
  aws: [],
  mlflow: [{ to: 'aws', types: true }],
  deliver: [
    { to: 'call', types: true },
    { to: 'journal', only: journalBorder },
    { to: 'record' },
    {
      to: 'mlflow',
      only: [
        ...['artifacts.ts', 'client.ts', 'outcome.ts', 'transport.ts'],
        ...['traces-client.ts', 'traces-way.ts'],
      ],
      types: true,
    },
  ],
  receive: [{ to: 'journal', only: journalBorder }],
  observe: [
    { to: 'journal', only: journalBorder, types: true },
    { to: 'deliver', only: ['call-end.ts', 'hold.ts'], types: true },
    { to: 'receive', only: ['receiver.ts'], types: true },
    { to: 'settings', types: true },
  ],
};

/** The composition root and the commands know every stage; no stage knows them. */
const knowsAll = (folder: string) => folder === '.' || folder === 'cli';

interface Import {
  from: string;
  to: string;
  isType: boolean;
}

const files = globSync('src/**/*.ts').sort();

function code(file: string): string {
  return readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
}

/** The folder of a file of `src`; a folder within a folder is a part of it. */
function folderOf(file: string): string {
  return dirname(file).split('/')[0] ?? '.';
}

function importsOf(file: string): Import[] {
  const statements =
    /\b(?:import|export)\s+(type\s+)?(?:[\w*{][^;'"]*?\bfrom\s+)?'(\.[^']+)'|\bimport\(\s*'(\.[^']+)'|new URL\('(\.[^']+\.ts)'/g;
  return [...code(file).matchAll(statements)].map(([, type, named, loaded, url]) => ({
    from: relative('src', file),
    to: relative('src', join(dirname(file), named ?? loaded ?? url ?? '')),
    isType: type !== undefined,
  }));
}

function isAllowed({ from, to, isType }: Import): boolean {
  const folder = folderOf(from);
  if (knowsAll(folder) || folder === folderOf(to)) return true;
  const arrow = allowed[folder]?.find((candidate) => candidate.to === folderOf(to));
  if (arrow === undefined) return false;
  return (arrow.only?.includes(basename(to)) ?? true) && (isType || arrow.types !== true);
}

test('imports point along the path of a call, and cross a border only by its interface', () => {
  const imports = files.flatMap(importsOf);
  assert.ok(imports.length > files.length, 'the imports are found');
  const wrong = imports.filter((found) => !isAllowed(found));
  assert.deepEqual(
    wrong.map(({ from, to, isType }) => `${from} -> ${to}${isType ? ' (types)' : ''}`),
    [],
  );
});

test('an arrow that points back is found', () => {
  const arrow = (from: string, to: string, isType: boolean) => isAllowed({ from, to, isType });
  assert.ok(!arrow('call/x.ts', 'journal/journal.ts', true));
  assert.ok(!arrow('receive/x.ts', 'journal/sqlite-journal.ts', false));
  assert.ok(!arrow('deliver/x.ts', 'mlflow/client.ts', false));
  assert.ok(!arrow('deliver/x.ts', 'app.ts', true));
  assert.ok(arrow('deliver/x.ts', 'mlflow/client.ts', true));
});

test('every folder of the sources has its place on the path', () => {
  const folders = new Set(files.map((file) => folderOf(relative('src', file))));
  for (const folder of folders) assert.ok(knowsAll(folder) || folder in allowed, folder);
});

test('imports name the file, with its ending', () => {
  for (const { from, to } of files.flatMap(importsOf)) assert.match(to, /\.(ts|json)$/, from);
});

for (const [what, pattern] of [
  ['a default export', /\bexport\s+default\b/],
  ['any', /(?:[:<,|&(]|\bas|\bextends)\s*any\b/],
  ['an enum', /\benum\s+\w+\s*\{/],
  ['console', /\bconsole\./],
] as const) {
  test(`no source has ${what}`, () => {
    assert.deepEqual(
      files.filter((file) => pattern.test(code(file))),
      [],
    );
  });
}

test('nothing in the sources waits to be done', () => {
  const waits = /\b(TODO|FIXME|XXX|HACK)\b/;
  assert.deepEqual(
    files.filter((file) => waits.test(readFileSync(file, 'utf8'))),
    [],
  );
});

test('a source file holds one idea: at most 260 lines', () => {
  const long = files.filter((file) => readFileSync(file, 'utf8').split('\n').length > 261);
  assert.deepEqual(long, []);
});
