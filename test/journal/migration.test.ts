import assert from 'node:assert/strict';
import { copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { schemaVersion } from '../../src/journal/schema.ts';
import {
  account,
  allCalls,
  append,
  assertWorks,
  openIn,
  run,
  server,
} from '../support/damaged-journal.ts';
import { tempFolder } from '../support/temp-folder.ts';

const fixtures = new URL('../fixtures/journal/', import.meta.url);
const versions = readdirSync(fixtures)
  .map((file) => Number(/^v(\d+)\.db$/.exec(file)?.[1]))
  .sort((a, b) => a - b);

test('of each version of the format a journal is kept, this one included', () => {
  assert.deepEqual(
    versions,
    Array.from({ length: schemaVersion }, (_, index) => index + 1),
  );
});

for (const version of versions) {
  test(`a journal of version ${version} opens with all it knew, and delivers`, (t) => {
    const folder = tempFolder(t);
    copyFileSync(new URL(`v${version}.db`, fixtures), join(folder, 'journal.db'));
    const journal = openIn(folder);
    t.after(() => journal.close());

    assert.equal(journal.damage, undefined);
    const { received, recorded, pending, dead, duplicate, addsUp } = account(journal);
    assert.deepEqual(
      { received, recorded, pending, dead, duplicate, addsUp },
      { received: 8, recorded: 2, pending: 3, dead: 2, duplicate: 1, addsUp: true },
    );
    const reasons = run(journal, (own) => own.dead.list({}, 10)).map(({ reason }) => reason);
    assert.deepEqual(reasons, ['rejected', 'broken_json']);

    const calls = allCalls(journal);
    assert.deepEqual(
      calls.map(({ record, experiment, progress }) => [record.callId, experiment, progress?.runId]),
      [
        ['call-4', '/e', 'run-4'],
        ['call-5', '/e', undefined],
        ['call-6', '/e', undefined],
      ],
    );
    const [begun] = calls;
    assert.deepEqual(begun?.progress?.done, ['logged']);
    assert.equal(begun?.progress?.destination, server);
    for (const { seq } of calls) {
      const body: unknown = JSON.parse(
        Buffer.from(run(journal, (own) => own.body(seq)) ?? '').toString(),
      );
      assert.deepEqual(Object.keys(body ?? {}), ['request', 'response', 'context']);
      run(journal, (own) => own.settle(seq, { kind: 'recorded' }, Date.now()));
    }
    for (let number = 1; number <= 6; number += 1) append(journal, number);
    assert.equal(account(journal).recorded, 5);
    assert.equal(account(journal).duplicate, 7, 'every call is known again');
    assertWorks(journal);
  });
}
