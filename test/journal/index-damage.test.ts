import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { JournalError } from '../../src/journal/journal.ts';
import { openSqliteJournal, type SqliteJournal } from '../../src/journal/sqlite-journal.ts';
import {
  account,
  allCalls,
  append,
  assertWorks,
  callIds,
  databaseOf,
  killedJournal,
  openIn,
  overwrite,
  page,
  postedAt,
  rootOf,
  run,
  server,
  spoilTypeOfCall,
  withRestarts,
} from '../support/damaged-journal.ts';
import { journalDefaults } from '../support/journal-defaults.ts';

const later = Date.now() + 7_200_000;
const withTraces = (folder: string) =>
  openSqliteJournal(journalDefaults(folder, { traces: true, runs: none }));
const withChunks = (folder: string) =>
  openSqliteJournal(journalDefaults(folder, { chunks: true, runs: none }));
const none = {
  ...{ runs: 'off' as const, failuresPerMinute: 20, maxRunsPerDay: 20_000, maxDrainMs: 60_000 },
  mark: { tags: [], models: [], teams: [] },
};

const calls = (count: number) =>
  Array.from(
    { length: count },
    (_, index) => (journal: SqliteJournal) => append(journal, index + 1),
  );

/** Makes the entry of a call in an index of one page name another, as a flipped bit would. */
function rename(folder: string, index: string, call: number, as: number): void {
  const at = (rootOf(folder, index) - 1) * page;
  const bytes = readFileSync(databaseOf(folder));
  const leafOfIndex = 10;
  assert.equal(bytes.readUInt8(at), leafOfIndex);
  const entries = Array.from({ length: bytes.readUInt16BE(at + 3) }, (_, place) => {
    const entry = at + bytes.readUInt16BE(at + 8 + 2 * place);
    return entry + bytes.readUInt8(entry);
  });
  const last = entries.find((end) => bytes.readUInt8(end) === call);
  assert.ok(last !== undefined, 'a number up to 127 is the last byte of its entry');
  overwrite(databaseOf(folder), last, Buffer.from([as]));
}

function alter(folder: string, sql: string): void {
  const database = new DatabaseSync(databaseOf(folder));
  database.exec(sql);
  database.close();
}

const isDamage = (error: unknown) =>
  error instanceof JournalError && error.code === 'JOURNAL_DAMAGED';

for (const [what, other] of [
  ['which has its trace', 3],
  ['that has another entry', 8],
  ['that is not there', 99],
] as const) {
  test(`a call ${what} is not let go in place of one that waits for its trace`, (t) => {
    const haveTraces = (journal: SqliteJournal) =>
      run(journal, (own) => own.traces.ended([1, 2, 3], 'kept', 1));
    const folder = killedJournal(t, [...calls(8), haveTraces], false, withTraces);
    rename(folder, 'calls_trace', 7, other);
    const shed = (journal: SqliteJournal) => run(journal, (own) => own.traces.shed(1));
    withRestarts(
      folder,
      (journal) => {
        assert.deepEqual([shed(journal), shed(journal)], [5, 0]);
        const { pending, recorded, addsUp, detail } = account(journal);
        assert.deepEqual([pending, recorded, addsUp, detail.tracesPending], [0, 8, true, 0]);
        assert.ok(journal.damage?.database);
      },
      withTraces,
    );
  });
}

for (const [what, other] of [
  ['that is in it already', 3],
  ['that is not there', 99],
] as const) {
  test(`a call ${what} does not take the place of another in a chunk that was kept`, (t) => {
    const folder = killedJournal(t, calls(8), false, withChunks);
    alter(folder, 'UPDATE chunks SET closed_at = 1, ended = 1');
    rename(folder, 'calls_chunk', 7, other);
    withRestarts(
      folder,
      (journal) => {
        while (journal.tidy(postedAt));
        const { pending, recorded, addsUp, detail } = account(journal);
        assert.deepEqual([pending, recorded, addsUp, detail.chunkPending], [0, 8, true, 0]);
        assert.ok(journal.damage?.database);
      },
      withChunks,
    );
  });
}

const haveEnded = (count: number) => (journal: SqliteJournal) => {
  for (const { seq } of allCalls(journal).slice(0, count)) {
    run(journal, (own) => own.settle(seq, { kind: 'recorded' }, postedAt + seq));
  }
};

for (const [what, other] of [
  ['a pending call', 12],
  ['a call that is not there', 99],
] as const) {
  test(`an entry of what is recorded that names ${what} costs no call`, (t) => {
    const folder = killedJournal(t, [...calls(12), haveEnded(6)], false);
    rename(folder, 'calls_settled', 4, other);
    withRestarts(folder, (journal) => {
      while (journal.tidy(later));
      assert.deepEqual(callIds(allCalls(journal)), [
        'call-10',
        'call-11',
        'call-12',
        'call-7',
        'call-8',
        'call-9',
      ]);
      append(journal, 4);
      const { pending, recorded, duplicate, addsUp } = account(journal);
      assert.deepEqual([pending, recorded, duplicate, addsUp], [6, 6, 1, true]);
      assert.ok(journal.damage?.database);
    });
  });
}

test('a recorded call whose id is of another type is salvaged, and then forgotten', (t) => {
  const folder = killedJournal(t, [...calls(5), haveEnded(5)], false);
  spoilTypeOfCall(folder);
  withRestarts(folder, (journal) => {
    while (journal.tidy(later));
    assert.ok(journal.damage?.database);
    for (let number = 1; number <= 5; number += 1) append(journal, number);
    assert.equal(account(journal).duplicate, 5);
    assertWorks(journal);
  });
  const database = new DatabaseSync(databaseOf(folder));
  const left = database.prepare('SELECT count(*) AS n FROM calls WHERE state = 1').get();
  database.close();
  assert.equal(left?.['n'], 0);
});

const wanting = {
  trace: (own: SqliteJournal) => own.traces.wanting(10, 0),
  chunk: (own: SqliteJournal) => own.chunks.page(own.chunks.take(server, later, true)?.id ?? 0, 0),
};
for (const [what, open] of [
  ['trace', withTraces],
  ['chunk', withChunks],
] as const) {
  test(`a call that wants a ${what} and has no payload becomes a dead letter`, (t) => {
    const folder = killedJournal(t, calls(5), false, open);
    alter(folder, 'DELETE FROM payloads WHERE seq = 3');
    withRestarts(
      folder,
      (journal) => {
        const seqs = run(journal, (own) => wanting[what](own).map(({ seq }) => seq));
        assert.deepEqual(seqs, [1, 2, 4, 5]);
        const { pending, dead, addsUp } = account(journal);
        assert.deepEqual([pending, dead, addsUp], [4, 1, true]);
        assert.ok(journal.damage?.database);
      },
      open,
    );
  });
}

for (const [what, open, find] of [
  ['run', openIn, allCalls],
  ['trace', withTraces, (journal: SqliteJournal) => run(journal, wanting.trace)],
  ['chunk', withChunks, (journal: SqliteJournal) => run(journal, wanting.chunk)],
] as const) {
  test(`a call that wants a ${what} does not get that of another whose payload it has`, (t) => {
    const folder = killedJournal(t, calls(5), false, open);
    const renumber = (from: number, to: number) =>
      alter(folder, `UPDATE payloads SET seq = ${to} WHERE seq = ${from}`);
    renumber(3, 99);
    renumber(4, 3);
    renumber(99, 4);
    withRestarts(
      folder,
      (journal) => {
        const ids = find(journal).map(({ record }) => String(record.callId));
        assert.deepEqual(ids.sort(), ['call-1', 'call-2', 'call-3', 'call-4', 'call-5']);
        assert.ok(journal.damage?.database);
        assertWorks(journal);
      },
      open,
    );
  });
}

test('a count of calls to come in chunks that is wrong is set right', (t) => {
  const folder = killedJournal(t, calls(5), false, withChunks);
  alter(folder, "UPDATE ledger SET calls = 9 WHERE name = 'chunk_waiting'");
  const journal = withChunks(folder);
  t.after(() => journal.close());
  assert.deepEqual(journal.damage, { account: { lost: 0 }, setAside: [] });
  assert.equal(account(journal).detail.chunkPending, 5);
});

test('a call that a flipped bit makes want what does not exist is recorded by its run', (t) => {
  const open = (folder: string) => openSqliteJournal(journalDefaults(folder, { chunks: true }));
  const folder = killedJournal(t, calls(1), false, open);
  alter(
    folder,
    "UPDATE calls SET wants = 4; UPDATE ledger SET calls = 0 WHERE name = 'chunk_waiting'",
  );
  const journal = open(folder);
  t.after(() => journal.close());
  haveEnded(1)(journal);
  const { pending, recorded, addsUp } = account(journal);
  assert.deepEqual([pending, recorded, addsUp], [0, 1, true]);
});

test('a journal that meets damage as it closes gives up its folder all the same', (t) => {
  const folder = killedJournal(t, calls(8), false, withChunks);
  alter(folder, 'UPDATE chunks SET closed_at = 1, ended = 1');
  rename(folder, 'calls_chunk', 7, 99);
  const journal = withChunks(folder);
  assert.throws(() => journal.close(), isDamage);
  const next = withChunks(folder);
  t.after(() => next.close());
  assert.ok(next.damage?.database);
  assertWorks(next);
});
