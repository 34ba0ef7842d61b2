import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { prepareFolder } from '../../src/journal/data-folder.ts';
import { JournalError } from '../../src/journal/journal.ts';
import { tempFolder } from '../support/temp-folder.ts';

for (const [disk, type] of [
  ['NFS', 0x6969],
  ['SMB', 0x517b],
  ['CIFS', 0xff534d42],
  ['CIFS', 0xff534d42 | 0],
  ['SMB', 0xfe534d42],
] as const) {
  test(`a data folder on ${disk} (${type}) is refused by name, with what to do`, (t) => {
    const folder = tempFolder(t);
    assert.throws(
      () => prepareFolder(folder, () => ({ type })),
      (error) =>
        error instanceof JournalError &&
        error.code === 'JOURNAL_ON_NETWORK_DISK' &&
        error.message.includes(folder) &&
        error.message.includes(disk) &&
        error.message.includes('SIDECAR_DATA_DIR'),
    );
  });
}

test('a data folder on a local disk is made and taken', (t) => {
  prepareFolder(join(tempFolder(t), 'new', 'deeper'), () => ({ type: 0xef53 }));
});

/** Nobody: the user of a child that shall not be allowed everything, as root is. */
const other = 65_534;

/** What opening the journal in `folder` says, as a user who owns nothing there. */
function openedByOther(folder: string): string {
  const isRoot = process.getuid?.() === 0;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', script(folder)],
    { encoding: 'utf8', ...(isRoot && { uid: other, gid: other }) },
  );
  assert.equal(stderr, '');
  return stdout;
}

function script(folder: string): string {
  const file = new URL('../../src/journal/data-folder.ts', import.meta.url).href;
  return `
    const { prepareFolder } = await import(${JSON.stringify(file)});
    try { prepareFolder(${JSON.stringify(folder)}); console.log('taken'); }
    catch ({ code, message }) { console.log(code, message); }`;
}

test('a folder that cannot be written to is refused by name, and whose it is said', (t) => {
  const folder = tempFolder(t);
  chmodSync(folder, 0o555);
  const said = openedByOther(folder);
  assert.match(said, /^JOURNAL_NOT_WRITABLE /);
  assert.ok(said.includes(folder) && said.includes('EACCES'), said);
  if (process.getuid?.() === 0) assert.match(said, /belongs to user 0, .* runs as user 65534/);
});

test('a folder that cannot be made is refused by name', (t) => {
  const parent = tempFolder(t);
  chmodSync(parent, 0o555);
  const said = openedByOther(join(parent, 'data'));
  assert.ok(said.startsWith('JOURNAL_NOT_WRITABLE') && said.includes(join(parent, 'data')), said);
});

test('a journal that cannot be written to, in a folder that can, is refused by name', (t) => {
  const folder = join(tempFolder(t), 'data');
  mkdirSync(folder);
  writeFileSync(join(folder, 'journal.db'), '', { mode: 0o444 });
  chmodSync(folder, 0o777);
  chmodSync(join(folder, '..'), 0o755);
  const said = openedByOther(folder);
  assert.ok(said.startsWith('JOURNAL_NOT_WRITABLE') && said.includes('journal.db'), said);
});
