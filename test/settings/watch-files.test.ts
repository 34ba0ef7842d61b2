import assert from 'node:assert/strict';
import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { watchFiles } from '../../src/settings/watch-files.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

const patience = { withinMs: 10_000, everyMs: 2 };

/** Watches `file`; `changes` waits until as many changes as this have been told, and no more. */
async function watch(t: TestContext, file: string) {
  const over = new AbortController();
  let looks = 0;
  let told = 0;
  const files = () => {
    looks += 1;
    return [file];
  };
  const onChange = () => {
    told += 1;
  };
  const watching = watchFiles(files, onChange, { signal: over.signal, intervalMs: 5 });
  t.after(async () => {
    over.abort();
    await watching;
  });
  const looksMore = async (more: number) => {
    const until = looks + more;
    await waitUntil(() => looks >= until || undefined, { ...patience, what: 'the next looks' });
  };
  return {
    looksMore,
    changes: async (number: number) => {
      await waitUntil(() => told >= number || undefined, { ...patience, what: 'a change' });
      await looksMore(5);
      assert.equal(told, number);
    },
  };
}

test('a file that is written, removed or made again is told of, once each time', async (t) => {
  const file = join(tempFolder(t), 'settings.yaml');
  writeFileSync(file, 'one');
  const { changes } = await watch(t, file);
  writeFileSync(file, 'two, and longer');
  await changes(1);
  rmSync(file);
  await changes(2);
  writeFileSync(file, 'three');
  await changes(3);
});

test('a file that cannot be looked at is none that ends the watch', async (t) => {
  const folder = tempFolder(t);
  const file = join(folder, 'settings.yaml');
  writeFileSync(file, 'one');
  const { changes } = await watch(t, file);
  rmSync(file);
  symlinkSync(file, file);
  await changes(1);
  rmSync(file);
  writeFileSync(file, 'two');
  await changes(2);
});

test('a file that stays as it is is not told of', async (t) => {
  const file = join(tempFolder(t), 'settings.yaml');
  writeFileSync(file, 'one');
  const { looksMore, changes } = await watch(t, file);
  await looksMore(10);
  await changes(0);
});

test('a link that is exchanged, as Kubernetes does with mounted settings, is told of', async (t) => {
  const folder = tempFolder(t);
  const first = join(folder, 'first');
  const second = join(folder, 'second');
  const link = join(folder, 'settings.yaml');
  writeFileSync(first, 'one');
  writeFileSync(second, 'two');
  symlinkSync(first, link);
  const { changes } = await watch(t, link);
  symlinkSync(second, `${link}.new`);
  renameSync(`${link}.new`, link);
  await changes(1);
});

test('a file is not told of while it is being written', async (t) => {
  const file = join(tempFolder(t), 'settings.yaml');
  writeFileSync(file, '');
  let looks = 0;
  let told = 0;
  const over = new AbortController();
  // Each look finds the file longer than the one before, until it is whole.
  const files = () => {
    looks += 1;
    if (looks > 1 && looks <= 20) writeFileSync(file, 'x'.repeat(looks));
    return [file];
  };
  const onChange = () => {
    told += 1;
    assert.ok(looks > 20, `told of after look ${looks}`);
    over.abort();
  };
  t.after(() => over.abort());
  await watchFiles(files, onChange, { signal: over.signal, intervalMs: 1 });
  assert.equal(told, 1);
});
