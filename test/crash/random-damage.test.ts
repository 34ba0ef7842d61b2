import assert from 'node:assert/strict';
import { copyFileSync, existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { JournalError, type PendingCall } from '../../src/journal/journal.ts';
import { openSqliteJournal, type SqliteJournal } from '../../src/journal/sqlite-journal.ts';
import type { Usage, UsageOptions } from '../../src/journal/usage/usage.ts';
import {
  account,
  allCalls,
  append,
  assertWorks,
  copyPage,
  endTwo,
  flipBit,
  killedJournal,
  openIn,
  page,
  postedAt,
  run,
  server,
  withRestarts,
} from '../support/damaged-journal.ts';
import { journalDefaults } from '../support/journal-defaults.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { deliverUsage } from '../support/usage-journal.ts';

const count = 50;
const runs = Number(process.env['ANY_BIT_RUNS'] ?? 40);
/** Calls that a single bit may cost: those of the page that it is on. */
const aPage = 8;
const files = ['journal.db', 'journal.db-wal'];

const appends = Array.from(
  { length: count },
  (_, number) => (journal: SqliteJournal) => append(journal, number),
);

const runOf = ({ record }: PendingCall) => `run of ${record.recordId}`;

/** Gives each call a run, named after it. */
function runForEach(journal: SqliteJournal): PendingCall[] {
  const taken = allCalls(journal);
  for (const call of taken) {
    const progress = { destination: server, runId: runOf(call) };
    run(journal, (own) => own.progress(call.seq, progress));
  }
  return taken;
}

/** A run may be forgotten, or its name damaged; that of another call would get its values. */
function assertNoneHasAnothersRun(taken: PendingCall[]): void {
  const calls = new Map(taken.map((call) => [runOf(call), call.record.recordId]));
  for (const { record, progress } of taken) {
    assert.equal(calls.get(progress?.runId ?? '') ?? record.recordId, record.recordId);
  }
}

/** Each call has a run; one has ended, one is dead, the rest is pending. */
const pending = count - 2;
const settle = (journal: SqliteJournal) => endTwo(journal, runForEach(journal));

for (const inLog of [false, true]) {
  const where = inLog ? 'write-ahead log or database' : 'database';
  test(`a flipped bit anywhere in the ${where} costs what it hit, and no more`, (t) => {
    const original = killedJournal(t, [...appends, settle], inLog);
    const posted = postedCalls(t);
    withAnyBitFlipped(t, original, (folder) => {
      let left = 0;
      withRestarts(folder, (journal) => {
        const taken = allCalls(journal);
        assertAreOf(taken, posted);
        left = taken.length;
        if (!inLog) assert.ok(left >= pending - aPage, `${left} are left`);
        assertWorks(journal);
      });
      // What nothing has met yet, such as an entry out of its order, is met by now.
      withRestarts(folder, (journal) => assert.ok(allCalls(journal).length >= left - aPage));
      withRestarts(folder, (journal) => {
        assert.equal(journal.damage, undefined, 'nothing is left to salvage');
        assert.ok(account(journal).addsUp);
      });
    });
  });
}

test("a page that is written over another anywhere leaves an account that adds up, and no call another's run", (t) => {
  const original = killedJournal(t, [...appends, settle], false);
  const posted = postedCalls(t);
  const pages = statSync(join(original, 'journal.db')).size / page;
  const anyPage = fc.nat(pages - 1);
  fc.assert(
    fc.property(anyPage, anyPage, (from, to) => {
      const folder = copyOf(t, original);
      copyPage(folder, from * page, to * page);
      withRestarts(folder, (journal) => {
        assertAreOf(allCalls(journal), posted);
        assertWorks(journal);
      });
      withRestarts(folder, (journal) => assertNoneHasAnothersRun(allCalls(journal)));
      withRestarts(folder, (journal) => {
        assert.equal(journal.damage, undefined, 'nothing is left to salvage');
        assert.ok(account(journal).addsUp);
      });
      rmSync(folder, { recursive: true });
    }),
    { numRuns: runs },
  );
});

/** The records of all calls by their ids. */
function postedCalls(t: TestContext): Map<string, unknown> {
  const calls = openCopy(t, killedJournal(t, appends, false), allCalls);
  assert.equal(calls.length, count);
  return new Map(calls.map(({ record }) => [record.recordId, record]));
}

/** Each call is as it was posted, there once, and has its own run. */
function assertAreOf(taken: PendingCall[], posted: Map<string, unknown>): void {
  for (const { record } of taken) assert.deepEqual(record, posted.get(record.recordId));
  assert.equal(new Set(taken.map(({ record }) => record.recordId)).size, taken.length, 'each once');
  assertNoneHasAnothersRun(taken);
}

test('a flipped bit anywhere leaves nothing to wait for ever: no run, chunk or trace, and no usage', (t) => {
  const usage: UsageOptions = {
    ...{ intervalMs: 300_000, timeZone: 'UTC', by: ['model', 'team'], maxSeries: 100 },
  };
  const open = (folder: string) =>
    openSqliteJournal(journalDefaults(folder, { chunks: true, traces: true, usage }));
  const reported = (journal: SqliteJournal) => reportUsage(journal, postedAt + 600_000);
  const original = killedJournal(t, [...appends, runForEach, reported], false, open);
  withAnyBitFlipped(t, original, (folder) =>
    withRestarts(
      folder,
      (journal) => {
        deliverAll(journal);
        const { addsUp, pending, recorded, detail } = account(journal);
        const { chunkPending, tracesPending } = detail;
        assert.deepEqual(
          { addsUp, pending, chunkPending, tracesPending },
          { addsUp: true, pending: 0, chunkPending: 0, tracesPending: 0 },
        );
        assert.ok(recorded >= count - aPage, `${recorded} are recorded`);
      },
      open,
    ),
  );
});

function reportUsage(journal: SqliteJournal, now: number): void {
  const act = <T>(command: (usage: Usage) => T): T =>
    run(journal, ({ usage }) => {
      assert.ok(usage);
      return command(usage);
    });
  deliverUsage(act, now, server);
}

/** Has each call that can be had recorded in all ways that it wants, and usage reported to its end. */
function deliverAll(journal: SqliteJournal): void {
  const now = Date.now() + 7_200_000;
  reportUsage(journal, now);
  for (let taken = allCalls(journal); taken.length > 0; taken = allCalls(journal)) {
    assertNoneHasAnothersRun(taken);
    for (const { seq } of taken) {
      run(journal, (own) => own.settle(seq, { kind: 'recorded' }, now));
    }
  }
  const wanting = () => run(journal, (own) => own.traces.wanting(count, -1));
  for (let some = wanting(); some.length > 0; some = wanting()) {
    const seqs = some.map(({ seq }) => seq);
    run(journal, (own) => own.traces.ended(seqs, 'kept', now));
  }
  const takeChunk = () => run(journal, (own) => own.chunks.take(server, now, true));
  for (let chunk = takeChunk(); chunk !== undefined; chunk = takeChunk()) {
    const { id } = chunk;
    run(journal, (own) => own.chunks.page(id, -1));
    run(journal, (own) => own.chunks.settle(id, 'kept'));
  }
  while (journal.tidy(now));
}

/** Checks copies of a journal in each of which another bit is flipped. */
function withAnyBitFlipped(
  t: TestContext,
  original: string,
  check: (folder: string) => void,
): void {
  const place = fc
    .constantFrom(...files.filter((file) => existsSync(join(original, file))))
    .chain((file) =>
      fc.tuple(fc.constant(file), fc.nat(statSync(join(original, file)).size - 1), fc.nat(7)),
    );
  fc.assert(
    fc.property(place, ([file, byte, bit]) => {
      const folder = copyOf(t, original);
      flipBit(join(folder, file), byte, bit);
      try {
        check(folder);
      } catch (error) {
        const isRefused = error instanceof JournalError && error.code === 'JOURNAL_TOO_NEW';
        if (!isRefused || !isVersion(file, byte)) throw error;
      }
      rmSync(folder, { recursive: true });
    }),
    { numRuns: runs },
  );
}

/** Bytes 60 to 63 hold the version; one that a flipped bit made later is refused, as it has to be. */
const isVersion = (file: string, byte: number) => file === 'journal.db' && byte >= 60 && byte < 64;

function copyOf(t: TestContext, original: string): string {
  const folder = tempFolder(t);
  for (const file of files) {
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
