import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { plantedSecret } from './planted.ts';
import { filesWith } from './search-files.ts';
import { tempFolder } from './temp-folder.ts';

test('a planted secret is found in files of any size, however deep, and nowhere else', (t) => {
  const folder = tempFolder(t);
  const deep = join(folder, 'set-aside');
  mkdirSync(deep);
  writeFileSync(join(folder, 'clean'), 'nothing');
  writeFileSync(join(folder, 'packed'), Buffer.from(plantedSecret).toString('base64'));
  writeFileSync(join(deep, 'large'), `${'\0'.repeat(5_000_000)}${plantedSecret}`);
  writeFileSync(join(folder, 'ballast'), plantedSecret);
  const found = filesWith([plantedSecret, 'another'], folder);
  assert.deepEqual(found.sort(), [`large: ${plantedSecret}`, `packed: ${plantedSecret}`]);
});
