import assert from 'node:assert/strict';
import {
  existsSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { openSqliteJournal, type SqliteJournal } from '../../src/journal/sqlite-journal.ts';
import {
  account,
  allCalls,
  append,
  assertSetAside,
  assertWorks,
  callIds,
  calls,
  commitsIn,
  databaseOf,
  endTwo,
  flipBit,
  frame,
  header,
  idsUpTo,
  killedJournal,
  logOf,
  openIn,
  overwrite,
  overwriteLeaf,
  overwriteRoot,
  page,
  postedAt,
  rootOf,
  run,
  withRestarts,
} from '../support/damaged-journal.ts';
import { journalDefaults } from '../support/journal-defaults.ts';
import { bodyOf, litellmEvent } from '../support/litellm-event.ts';
import { tempFolder } from '../support/temp-folder.ts';

function reopened(t: TestContext, folder: string): SqliteJournal {
  const journal = openIn(folder);
  t.after(() => journal.close());
  return journal;
}

test('a log that a kill left whole is no damage', (t) => {
  const journal = reopened(t, killedJournal(t, calls(5), true));
  assert.equal(journal.damage, undefined);
  assert.deepEqual(callIds(allCalls(journal)), idsUpTo(5));
});

test('a commit that a kill cut short is dropped without an alarm: nobody was told of it', (t) => {
  const folder = killedJournal(t, calls(5), true);
  truncateSync(logOf(folder), statSync(logOf(folder)).size - 100);
  const journal = reopened(t, folder);
  assert.equal(journal.damage, undefined);
  assert.deepEqual(callIds(allCalls(journal)), idsUpTo(4));
  assertWorks(journal);
});

test('a last frame of the log that is torn is no damage either', (t) => {
  const folder = killedJournal(t, calls(5), true);
  overwrite(logOf(folder), statSync(logOf(folder)).size - 3000, Buffer.alloc(3000));
  const journal = reopened(t, folder);
  assert.equal(journal.damage, undefined);
  assertWorks(journal);
});

test('commits behind a flipped bit in the log are set aside and reported; those before it stay', (t) => {
  const folder = killedJournal(t, calls(5), true);
  const commits = commitsIn(logOf(folder));
  const [before, last] = [commits.at(-3), commits.at(-1)];
  assert.ok(before && last);
  const size = statSync(logOf(folder)).size;
  flipBit(logOf(folder), header + before * frame + 24 + 1000, 3);

  const journal = reopened(t, folder);
  const cut = { frames: last - before, bytes: size - header - before * frame };
  assert.deepEqual(journal.damage?.log, cut);
  assertSetAside(journal, /-wal$/);
  assert.equal(statSync(journal.damage?.setAside[0] ?? '').size, cut.bytes);
  assert.deepEqual(callIds(allCalls(journal)), idsUpTo(3));
  assertWorks(journal);
});

test('what was cut off the log is not found damaged again', (t) => {
  const folder = killedJournal(t, calls(5), true);
  flipBit(logOf(folder), header + (commitsIn(logOf(folder)).at(-3) ?? 0) * frame + 2000);
  openIn(folder).close();
  assert.equal(reopened(t, folder).damage, undefined);
});

test('a damaged header of the log is found: all of the log is set aside', (t) => {
  const folder = killedJournal(t, calls(5), true);
  const { size } = statSync(logOf(folder));
  flipBit(logOf(folder), 17);
  const journal = reopened(t, folder);
  assert.equal(journal.damage?.log?.bytes, size);
  assertWorks(journal);
});

test('after a salvage every pending call without a run is searched for before it is sent', (t) => {
  const folder = killedJournal(t, calls(5), true);
  flipBit(logOf(folder), header + (commitsIn(logOf(folder)).at(-3) ?? 0) * frame + 2000);
  const before = Date.now();
  const taken = allCalls(reopened(t, folder));
  assert.equal(taken.length, 3);
  for (const { progress } of taken) assert.ok((progress?.begunAt ?? 0) >= before);
});

test('a leaf of the payloads that is overwritten costs its own calls alone', (t) => {
  const folder = killedJournal(t, calls(40), false);
  overwriteLeaf(folder, 'payloads');
  const [salvaged, found] = withRestarts(folder, (journal) => {
    const taken = allCalls(journal);
    assertWorks(journal);
    return [journal.damage, taken] as const;
  });
  assert.ok(salvaged?.database, 'it was made anew');
  const { lost, calls: kept } = salvaged.database;
  assert.ok(lost > 0 && lost < 10, `${lost} lost`);
  assert.equal(kept + lost, 40);
  assert.equal(found.length, kept);
});

for (const [what, table] of [
  ["of the calls' own rows", 'calls'],
  ['of the index of what is due', 'calls_due'],
  ['of the account', 'ledger'],
  ['of the experiments', 'experiments'],
  ['of the memory of ids', 'seen_buckets'],
] as const) {
  test(`a page ${what} that is overwritten costs no call`, (t) => {
    const folder = killedJournal(t, calls(20), false);
    overwriteRoot(folder, table);
    withRestarts(folder, (journal) => {
      assert.deepEqual(callIds(allCalls(journal)), idsUpTo(20));
      assertWorks(journal);
      assert.ok(journal.damage?.database);
      assertSetAside(journal, /-journal\.db$/);
    });
  });
}

test('a file that was cut short gives what is left of it', (t) => {
  const folder = killedJournal(t, calls(40), false);
  const { size } = statSync(databaseOf(folder));
  truncateSync(databaseOf(folder), Math.floor(size * 0.7));
  const journal = reopened(t, folder);
  const { calls: kept = 0, lost = 0 } = journal.damage?.database ?? {};
  assert.ok(kept > 0 && lost > 0, `${kept} kept, ${lost} lost`);
  assert.equal(kept + lost, 40);
  assert.equal(allCalls(journal).length, kept);
  assertSetAside(journal, /-first-page$/, /-journal\.db$/);
  assertWorks(journal);
});

function idOf(folder: string): string {
  const journal = openIn(folder);
  const { journalId } = account(journal);
  journal.close();
  return journalId;
}

for (const [what, bytes] of [
  ['header', 100],
  ['first page', page],
] as const) {
  test(`a ${what} of zeros costs no call`, (t) => {
    const folder = killedJournal(t, calls(20), false);
    const id = idOf(folder);
    overwrite(databaseOf(folder), 0, Buffer.alloc(bytes));
    const journal = reopened(t, folder);
    assert.equal(journal.damage?.database?.lost, 0);
    assert.deepEqual(callIds(allCalls(journal)), idsUpTo(20));
    assert.equal(account(journal).journalId, id);
    assertWorks(journal);
  });
}

test('a first page that is older than the rest costs no call', (t) => {
  const folder = killedJournal(t, calls(30), false);
  const older = readFileSync(databaseOf(folder)).subarray(0, page);
  const journal = openIn(folder);
  for (let number = 31; number <= 60; number += 1) append(journal, number);
  journal.close();
  overwrite(databaseOf(folder), 0, older);
  withRestarts(folder, (salvaged) => {
    assert.deepEqual(callIds(allCalls(salvaged)), idsUpTo(60));
    assertWorks(salvaged);
    assertSetAside(salvaged, /-first-page$/, /-journal\.db$/);
  });
});

for (const column of ['died_at', 'saved_cost_usd']) {
  test(`a bit flipped in the name of a column costs no call: ${column}`, (t) => {
    const folder = killedJournal(t, calls(20), false);
    flipBit(databaseOf(folder), readFileSync(databaseOf(folder)).indexOf(column), 0);
    const journal = reopened(t, folder);
    assert.equal(journal.damage?.database?.reason, 'a table or a column is missing');
    assert.deepEqual(callIds(allCalls(journal)), idsUpTo(20));
    const report = run(journal, (own) => own.usage?.report('d', postedAt + 3_600_000, 0));
    assert.equal(report?.intervals[0]?.sums.get('')?.attempts, 20);
    assertWorks(journal);
  });
}

for (const [what, index] of [
  ['what is due', 'calls_due'],
  ['what is pending', 'calls_pending'],
] as const) {
  test(`an entry of ${what} that hides those behind it costs no call`, (t) => {
    const folder = killedJournal(t, calls(20), false);
    // The place of the second entry: read elsewhere, it is one of another lane, state or time.
    flipBit(databaseOf(folder), (rootOf(folder, index) - 1) * page + 11, 0);
    withRestarts(folder, (journal) => {
      assert.deepEqual(callIds(allCalls(journal)), idsUpTo(20));
      assert.equal(account(journal).pending, 20);
      assertWorks(journal);
    });
  });
}

test('a clock that was years ahead is no damage', (t) => {
  const folder = tempFolder(t);
  const ahead = Date.now() + 2 * 366 * 86_400_000;
  const journal = openIn(folder);
  append(journal, 1);
  run(journal, (own) => own.append(bodyOf(litellmEvent(2)), ahead));
  journal.close();
  assert.equal(reopened(t, folder).damage, undefined);
});

test('an empty file is reported, and a new journal made', (t) => {
  const folder = killedJournal(t, calls(5), false);
  writeFileSync(databaseOf(folder), '');
  const journal = reopened(t, folder);
  assert.equal(journal.damage?.database?.reason, 'the file is empty');
  assertSetAside(journal, /-journal\.db$/);
  assertWorks(journal);
});

test('an empty file beside a log gives what is in the log', (t) => {
  const folder = killedJournal(t, calls(20), true);
  writeFileSync(databaseOf(folder), '');
  const journal = reopened(t, folder);
  assert.deepEqual(callIds(allCalls(journal)), idsUpTo(20));
  assertWorks(journal);
});

test('an account that does not add up in a sound file is set right, and the file kept', (t) => {
  const folder = killedJournal(t, calls(5), false);
  const database = new DatabaseSync(databaseOf(folder));
  database.exec("UPDATE ledger SET calls = 7 WHERE name IN ('pending', 'received')");
  database.close();
  const journal = reopened(t, folder);
  assert.deepEqual(journal.damage, { account: { lost: 2 }, setAside: [] });
  assert.deepEqual(account(journal).shed, { damaged: 2 });
  assertWorks(journal);
});

test('a count of traces to come that is wrong is set right, too', (t) => {
  const open = (folder: string) => openSqliteJournal(journalDefaults(folder, { traces: true }));
  const folder = killedJournal(t, calls(5), false, open);
  const database = new DatabaseSync(databaseOf(folder));
  database.exec("UPDATE ledger SET calls = -3 WHERE name = 'traces_waiting'");
  database.close();
  withRestarts(
    folder,
    (journal) => {
      assert.deepEqual(journal.damage, { account: { lost: 0 }, setAside: [] });
      assert.equal(account(journal).detail.tracesPending, 5);
    },
    open,
  );
});

test('calls that left, dead letters and duplicates stay known through a salvage', (t) => {
  const settle = (journal: SqliteJournal) => endTwo(journal, allCalls(journal));
  const folder = killedJournal(t, [...calls(5), settle], false);
  overwriteRoot(folder, 'calls_due');
  withRestarts(folder, (journal) => {
    append(journal, 1);
    append(journal, 2);
    append(journal, 3);
    const { duplicate, recorded, dead, pending, addsUp } = account(journal);
    assert.deepEqual([duplicate, recorded, dead, pending, addsUp], [3, 1, 1, 3, true]);
    const [letter] = run(journal, (own) => own.dead.list({}, 10));
    assert.equal(letter?.reason, 'r');
    assert.equal(run(journal, (own) => own.dead.requeue({}, 1)).requeued, 1);
    assert.equal(allCalls(journal).length, 4);
  });
});

test('a salvage that a kill ended midway is begun again', (t) => {
  const folder = killedJournal(t, calls(20), false);
  overwriteRoot(folder, 'calls');
  writeFileSync(join(folder, 'salvage.db'), 'half a journal');
  writeFileSync(join(folder, 'damaged'), '');
  const journal = reopened(t, folder);
  assert.deepEqual(callIds(allCalls(journal)), idsUpTo(20));
  assert.ok(!existsSync(join(folder, 'damaged')) && !existsSync(join(folder, 'salvage.db')));
  assertWorks(journal);
});

test('a salvage that a kill ended while files took their places is gone on with', (t) => {
  const folder = killedJournal(t, calls(20), false);
  renameSync(databaseOf(folder), join(folder, 'salvage.db'));
  writeFileSync(logOf(folder), 'the log of the damaged file');
  const journal = reopened(t, folder);
  assert.deepEqual(callIds(allCalls(journal)), idsUpTo(20));
  assertWorks(journal);
});

/** Changes rows while an index takes a call for its own that it would not. */
function contradict(folder: string, index: string, [is, as]: [string, string], change: string) {
  const database = new DatabaseSync(databaseOf(folder), { defensive: false });
  const set = (from: string, to: string) =>
    `UPDATE sqlite_schema SET sql = replace(sql, '${from}', '${to}') WHERE name = '${index}'`;
  database.exec(`
    PRAGMA writable_schema = ON; ${set(is, as)}; PRAGMA writable_schema = RESET;
    ${change};
    PRAGMA writable_schema = ON; ${set(as, is)};
  `);
  database.close();
}

test('an index that names a call which has ended is found, and made anew', (t) => {
  const folder = killedJournal(t, calls(3), false);
  const ended = 'UPDATE calls SET state = 1 WHERE seq = 2';
  contradict(folder, 'calls_due', ['state = 0', 'state < 2'], ended);
  withRestarts(folder, (journal) => {
    assert.deepEqual(callIds(allCalls(journal)), ['call-1', 'call-3']);
    assertWorks(journal);
    assert.ok(journal.damage?.database);
  });
});

for (const [what, index, wants] of [
  ['its chunk', 'calls_chunk', '1'],
  ['its trace', 'calls_trace', '2'],
] as const) {
  test(`an index that names a call which has ${what} is found, and made anew`, (t) => {
    const open = (folder: string) =>
      openSqliteJournal(journalDefaults(folder, { chunks: true, traces: true }));
    const folder = killedJournal(t, calls(3), false, open);
    const has = `UPDATE calls SET wants = wants - ${wants} + 4 WHERE seq = 2`;
    contradict(folder, index, [`wants & ${wants}`, `wants & (${wants} + 4)`], has);
    withRestarts(
      folder,
      (journal) => {
        const wanting =
          index === 'calls_chunk'
            ? run(journal, (own) => own.chunks.page(1, -1))
            : run(journal, (own) => own.traces.wanting(10, -1));
        assert.deepEqual(
          wanting.map(({ seq }) => seq),
          [1, 3],
        );
        const { chunkPending, tracesPending } = account(journal).detail;
        assert.deepEqual([chunkPending, tracesPending], index === 'calls_chunk' ? [2, 3] : [3, 2]);
        assert.ok(journal.damage?.database);
      },
      open,
    );
  });
}
