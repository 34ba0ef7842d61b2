import assert from 'node:assert/strict';
import { copyFileSync, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { JournalError } from '../../src/journal/journal.ts';
import type { SqliteJournal } from '../../src/journal/sqlite-journal.ts';
import {
  account,
  allCalls,
  append,
  assertWorks,
  flipBit,
  killedJournal,
  openIn,
  run,
  withRestarts,
} from '../support/damaged-journal.ts';
import { tempFolder } from '../support/temp-folder.ts';

const count = 50;
const runs = Number(process.env['ANY_BIT_RUNS'] ?? 40);

const appends = Array.from(
  { length: count },
  (_, number) => (journal: SqliteJournal) => append(journal, number),
);

/** One call has ended, one is dead; the rest is pending. */
const settle = (journal: SqliteJournal) => {
  const [first, second] = allCalls(journal);
  assert.ok(first && second);
  run(journal, (own) => own.settle(first.seq, { kind: 'recorded' }, 1));
  run(journal, (own) => own.settle(second.seq, { kind: 'dead', reason: 'r', detail: 'd' }, 1));
  journal.tidy(Date.now());
};

/** Bytes 60 to 63 hold the version; one that a flipped bit made later is refused, as it has to be. */
const isVersion = (file: string, byte: number) => file === 'journal.db' && byte >= 60 && byte < 64;

for (const inLog of [false, true]) {
  const where = inLog ? 'write-ahead log or database' : 'database';
  test(`a flipped bit anywhere in the ${where} costs what it hit, and no more`, (t) => {
    const original = killedJournal(t, [...appends, settle], inLog);
    const posted = new Map(
      openCopy(t, killedJournal(t, appends, false), (journal) =>
        allCalls(journal).map((call) => [call.record.recordId, call.record] as const),
      ),
    );
    assert.equal(posted.size, count);
    const files = ['journal.db', 'journal.db-wal'].filter((file) =>
      existsSync(join(original, file)),
    );
    const place = fc
      .constantFrom(...files)
      .chain((file) =>
        fc.tuple(fc.constant(file), fc.nat(statSync(join(original, file)).size - 1), fc.nat(7)),
      );
    fc.assert(
      fc.property(place, ([file, byte, bit]) => {
        const folder = copyOf(t, original);
        flipBit(join(folder, file), byte, bit);
        try {
          withRestarts(folder, (journal) => {
            const taken = allCalls(journal);
            for (const { record } of taken) assert.deepEqual(record, posted.get(record.recordId));
            const ids = new Set(taken.map(({ record }) => record.recordId));
            assert.equal(ids.size, taken.length, 'each once');
            if (!inLog) assert.ok(taken.length >= count - 8, `${taken.length} are left`);
            assertWorks(journal);
          });
          withRestarts(folder, (journal) => {
            assert.equal(journal.damage, undefined, 'nothing is left to salvage');
            assert.ok(account(journal).addsUp);
          });
        } catch (error) {
          const isRefused = error instanceof JournalError && error.code === 'JOURNAL_TOO_NEW';
          if (!isRefused || !isVersion(file, byte)) throw error;
        }
      }),
      { numRuns: runs },
    );
  });
}

function copyOf(t: TestContext, original: string): string {
  const folder = tempFolder(t);
  for (const file of ['journal.db', 'journal.db-wal']) {
    if (existsSync(join(original, file))) copyFileSync(join(original, file), join(folder, file));
  }
  return folder;
}

function openCopy<T>(t: TestContext, original: string, act: (journal: SqliteJournal) => T): T {
  const journal = openIn(copyOf(t, original));
  try {
    return act(journal);
  } finally {
    journal.close();
  }
}
