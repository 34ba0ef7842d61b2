import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import type { Account } from '../../src/journal/account.ts';
import type { Chunks } from '../../src/journal/chunks.ts';
import type { ChunkedCall } from '../../src/journal/detail.ts';
import {
  type JournalOptions,
  openSqliteJournal,
  type SqliteJournal,
} from '../../src/journal/sqlite-journal.ts';
import { journalDefaults } from '../support/journal-defaults.ts';
import { bodyOf, eventsFrom, litellmEvent } from '../support/litellm-event.ts';
import { tempFolder } from '../support/temp-folder.ts';

const now = 1_800_000_000_000;
const minute = 60_000;
const server = 'http://mlflow.test';
const errorsOnly: NonNullable<JournalOptions['runs']> = {
  ...{ runs: 'errors', failuresPerMinute: 20, maxRunsPerDay: 20_000, maxDrainMs: minute },
  mark: { tags: [], models: [], teams: [] },
};

function opened(t: TestContext, changes: Partial<JournalOptions> = {}) {
  const folder = tempFolder(t);
  const open = () =>
    openSqliteJournal(journalDefaults(folder, { chunks: true, runs: errorsOnly, ...changes }));
  let journal = open();
  t.after(() => journal.close());
  const run = <T>(command: (own: SqliteJournal) => T): T => {
    const [result] = journal.run([() => command(journal)]);
    if (result?.status === 'fulfilled') return result.value;
    throw result?.reason;
  };
  const chunks = <T>(command: (own: Chunks) => T): T => run((own) => command(own.chunks));
  return {
    run,
    chunks,
    append: (at: number, ...events: unknown[]) => run((own) => own.append(bodyOf(...events), at)),
    account: (): Account => run((own) => own.account()),
    take: (at: number, closeNow = false) => chunks((own) => own.take(server, at, closeNow)),
    members: (chunk: number): ChunkedCall[] => {
      const calls: ChunkedCall[] = [];
      for (;;) {
        const page = chunks((own) => own.page(chunk, calls.at(-1)?.seq ?? 0));
        if (page.length === 0) return calls;
        calls.push(...page);
      }
    },
    /** Ends a chunk and lets all its calls go. */
    settle: (chunk: number, at = now) => {
      chunks((own) => own.settle(chunk, 'kept'));
      while (journal.tidy(at));
    },
    reopen: () => {
      journal.close();
      journal = open();
    },
    /** Opens it again after `act` did something to its tables. */
    altered: (act: (database: DatabaseSync) => void) => {
      journal.close();
      const database = new DatabaseSync(join(folder, 'journal.db'));
      act(database);
      database.close();
      journal = open();
    },
    /** Opens it again after a command met damage. */
    salvaged: () => {
      journal.close();
      writeFileSync(join(folder, 'damaged'), '');
      journal = open();
    },
  };
}

const idsOf = (calls: readonly ChunkedCall[]) => calls.map(({ record }) => record.callId);

test('every call is in one chunk, in the order of its coming', (t) => {
  const journal = opened(t);
  journal.append(now, ...eventsFrom(1, 3));
  assert.equal(journal.take(now), undefined, 'it is open');
  journal.append(now + 5 * minute, ...eventsFrom(3, 5));
  const chunk = journal.take(now + 15 * minute);
  assert.ok(chunk);
  assert.deepEqual(
    { ...chunk },
    { id: 1, calls: 5, beganAt: now, endedAt: now + 5 * minute, attempts: 0 },
  );
  const members = journal.members(chunk.id);
  assert.deepEqual(idsOf(members), ['call-1', 'call-2', 'call-3', 'call-4', 'call-5']);
  const body: { context: { id: string } } = JSON.parse(
    Buffer.from(members[0]?.body ?? '').toString(),
  );
  assert.equal(body.context.id, members[0]?.record.responseId);
});

test('a call that has no run is recorded when its chunk is kept, and not before', (t) => {
  const journal = opened(t);
  journal.append(now, litellmEvent(1), litellmEvent(2));
  const { recorded, pending, addsUp, detail } = journal.account();
  assert.deepEqual({ recorded, pending, addsUp }, { recorded: 0, pending: 2, addsUp: true });
  assert.deepEqual(detail.noRun, { off: 2 });
  assert.equal(detail.runsPending, 0);
  assert.equal(detail.chunkPending, 2);
  assert.deepEqual(journal.run((own) => own.take(10, server, now)).calls, []);

  const chunk = journal.take(now, true);
  assert.ok(chunk);
  journal.settle(chunk.id);
  const after = journal.account();
  assert.deepEqual(
    [after.recorded, after.pending, after.detail.chunkPending, after.addsUp],
    [2, 0, 0, true],
  );
  assert.equal(after.detail.chunks, 1);
  assert.equal(journal.take(now + 60 * minute, true), undefined, 'nothing is left of it');
  assert.equal(journal.append(now, litellmEvent(1)).duplicates, 1);
});

test('a call with a run is recorded when it has both, in whichever order', (t) => {
  for (const runFirst of [true, false]) {
    const journal = opened(t, { runs: { ...errorsOnly, runs: 'all' } });
    journal.append(now, litellmEvent(1));
    const chunk = journal.take(now, true);
    const [call] = journal.run((own) => own.take(1, server, now)).calls;
    assert.ok(chunk && call);
    const steps = [
      () => journal.run((own) => own.settle(call.seq, { kind: 'recorded' }, now)),
      () => journal.settle(chunk.id),
    ];
    for (const [index, step] of (runFirst ? steps : steps.reverse()).entries()) {
      step();
      const { recorded, pending, addsUp } = journal.account();
      assert.deepEqual(
        { recorded, pending, addsUp },
        { recorded: index, pending: 1 - index, addsUp: true },
      );
    }
    assert.equal(journal.account().detail.runs, 1);
  }
});

test('a call that is dead or deleted by a person is in its chunk all the same', (t) => {
  const journal = opened(t, { runs: { ...errorsOnly, runs: 'all' } });
  journal.append(now, litellmEvent(1), litellmEvent(2), litellmEvent(3));
  const [dead, deleted] = journal.run((own) => own.take(3, server, now)).calls;
  assert.ok(dead && deleted);
  journal.run((own) => {
    own.settle(dead.seq, { kind: 'dead', reason: 'rejected', detail: 'x' }, now);
    own.settle(deleted.seq, { kind: 'shed', reason: 'deleted' }, now);
    own.dead.purge({}, now);
  });
  const chunk = journal.take(now, true);
  assert.ok(chunk);
  assert.equal(journal.members(chunk.id).length, 3);
  journal.settle(chunk.id);
  const { pending, dead: dying, shed, addsUp } = journal.account();
  assert.deepEqual([pending, dying, shed, addsUp], [1, 1, { deleted: 1 }, true]);
  assert.equal(journal.append(now, litellmEvent(1), litellmEvent(2)).duplicates, 2);
});

test('a chunk is closed when it has 5,000 calls or 32 MB', (t) => {
  const journal = opened(t, { maxBytes: 400_000_000 });
  for (let first = 1; first <= 5_500; first += 500) {
    journal.append(now, ...eventsFrom(first, first + 499));
  }
  assert.equal(journal.take(now)?.calls, 5_000);

  const large = opened(t, { maxBytes: 400_000_000 });
  const question = 'x'.repeat(8_000_000);
  for (let number = 1; number <= 5; number += 1) {
    large.append(now, litellmEvent(number, { messages: [{ role: 'user', content: question }] }));
  }
  const chunk = large.take(now);
  assert.equal(chunk?.calls, 4);
  const members = large.members(chunk?.id ?? 0);
  assert.deepEqual(
    members.map(({ body, bodyBytes }) => [body, bodyBytes > 8_000_000]),
    Array.from({ length: 4 }, () => [undefined, true]),
  );
});

test('a chunk waits a quarter of an hour where calls are few, a minute where they are many', (t) => {
  const few = opened(t);
  few.append(now, litellmEvent(1));
  assert.equal(few.take(now + 14 * minute), undefined);
  assert.ok(few.take(now + 15 * minute));

  const many = opened(t);
  many.append(now, ...eventsFrom(1, 1_000));
  assert.equal(many.take(now + minute - 1), undefined);
  assert.ok(many.take(now + minute));
});

test('while nothing takes them, chunks are closed all the same when their time has come', (t) => {
  const journal = opened(t);
  const hour = 60 * minute;
  // A call a minute for two hours, each post a little earlier or later than it should be.
  const jitter = (number: number) => (number % 3) * 90_000;
  for (let number = 0; number < 120; number += 1) {
    journal.append(now + number * minute + jitter(number), litellmEvent(number));
  }
  let calls = 0;
  for (let chunks = 0; ; chunks += 1) {
    const chunk = journal.take(now + 2 * hour + 10 * minute, true);
    if (chunk === undefined) {
      assert.ok(chunks <= 12, `${chunks} chunks`);
      break;
    }
    assert.ok(chunk.endedAt - chunk.beganAt <= 15 * minute, `${chunk.endedAt - chunk.beganAt} ms`);
    calls += chunk.calls;
    journal.settle(chunk.id);
  }
  assert.equal(calls, 120);
});

test('a post that is a little earlier than the one before joins its chunk', (t) => {
  const journal = opened(t);
  journal.append(now, litellmEvent(1));
  journal.append(now - 1_000, litellmEvent(2));
  journal.append(now + 1_000, litellmEvent(3));
  assert.equal(journal.take(now + 15 * minute)?.calls, 3);
});

test('pages of a chunk are small, and hold all of it', (t) => {
  const journal = opened(t);
  const question = 'x'.repeat(200_000);
  const events = Array.from({ length: 20 }, (_, number) =>
    litellmEvent(number, { messages: [{ role: 'user', content: question }] }),
  );
  journal.append(now, ...events);
  const chunk = journal.take(now, true);
  assert.ok(chunk);
  const first = journal.chunks((own) => own.page(chunk.id, 0));
  assert.ok(first.length < 8, `${first.length}`);
  assert.equal(journal.members(chunk.id).length, 20);
});

test('progress, postponement and the open chunk outlive a restart', (t) => {
  const journal = opened(t);
  journal.append(now, litellmEvent(1));
  const chunk = journal.take(now, true);
  assert.ok(chunk);
  const progress = { destination: server, runId: 'run-1', done: ['logged'] };
  journal.append(now, litellmEvent(2));
  journal.chunks((own) => own.postpone(chunk.id, { dueAt: now + minute, attempts: 2, progress }));
  journal.reopen();
  assert.equal(journal.take(now), undefined);
  const again = journal.take(now + minute);
  assert.deepEqual([again?.id, again?.attempts, again?.progress], [chunk.id, 2, progress]);
  journal.append(now, litellmEvent(3));
  journal.settle(chunk.id);
  assert.equal(journal.take(now, true)?.calls, 2);
});

test('the experiment in which a chunk was begun is kept for each destination', (t) => {
  const journal = opened(t);
  journal.append(now, litellmEvent(1));
  const { id = 0 } = journal.take(now, true) ?? {};
  const begun = { destination: server, begunAt: now, experiment: '/a/calls' };
  journal.chunks((own) => own.progress(id, begun));
  journal.reopen();
  const elsewhere = journal.chunks((own) => own.take('http://other.test', now, false));
  assert.deepEqual(elsewhere?.progress, { destination: 'http://other.test', before: begun });
  const there = { ...elsewhere.progress, begunAt: now, experiment: '/b/calls' };
  journal.chunks((own) => own.progress(id, there));
  const again = journal.chunks((own) => own.take('http://other.test', now, false));
  assert.deepEqual(again?.progress, there);
  assert.deepEqual(journal.take(now)?.progress, begun, 'back at the first');
});

test('a post that is undone leaves nothing in the open chunk', (t) => {
  const journal = opened(t, { maxBytes: 16_000_000 });
  journal.append(now, litellmEvent(1));
  assert.throws(() =>
    journal.run((own) => {
      own.append(bodyOf(litellmEvent(2)), now);
      throw new Error('the disk failed');
    }),
  );
  journal.append(now, litellmEvent(3));
  const chunk = journal.take(now, true);
  assert.equal(chunk?.calls, 2);
  assert.deepEqual(idsOf(journal.members(chunk?.id ?? 0)), ['call-1', 'call-3']);
});

test('where calls are not kept in chunks any more, those that were are finished', (t) => {
  const journal = opened(t);
  journal.append(now, litellmEvent(1));
  journal.run((own) =>
    own.reconfigure({ retainMs: 1_000, experiment: '/e', runs: errorsOnly, chunks: false }),
  );
  journal.append(now, litellmEvent(2));
  const { recorded, pending } = journal.account();
  assert.deepEqual({ recorded, pending }, { recorded: 1, pending: 1 });
  const chunk = journal.take(now + 15 * minute);
  assert.equal(chunk?.calls, 1);
});

test('a salvage keeps who is in which chunk, and how far it has come; what is open is closed', (t) => {
  const journal = opened(t);
  journal.append(now, litellmEvent(1), litellmEvent(2));
  const first = journal.take(now, true);
  assert.ok(first);
  const progress = { destination: server, runId: 'run-1', done: ['logged'] };
  journal.chunks((own) => own.postpone(first.id, { dueAt: now, attempts: 1, progress }));
  journal.append(now, litellmEvent(3));
  journal.salvaged();
  const again = journal.take(Date.now() + minute);
  assert.deepEqual([again?.id, again?.progress], [first.id, progress]);
  assert.deepEqual(idsOf(journal.members(first.id)), ['call-1', 'call-2']);
  journal.settle(first.id);

  journal.append(Date.now(), litellmEvent(4));
  const open = journal.take(Date.now() + minute);
  assert.deepEqual(idsOf(journal.members(open?.id ?? 0)), ['call-3']);
  assert.ok(open?.progress?.begunAt !== undefined, 'it may have been begun');
  journal.settle(open?.id ?? 0);
  const last = journal.take(Date.now() + minute, true);
  assert.deepEqual(idsOf(journal.members(last?.id ?? 0)), ['call-4']);
  assert.ok((last?.id ?? 0) > 1_000_000, 'no number comes twice, whatever was lost');
  assert.ok(journal.account().addsUp);
});

test('second runs of a chunk that were deleted are counted', (t) => {
  const journal = opened(t);
  journal.append(now, litellmEvent(1));
  const { id = 0 } = journal.take(now, true) ?? {};
  const progress = { destination: server, runId: 'run-1', secondRunsDeleted: 1 };
  journal.chunks((own) => own.progress(id, progress));
  assert.deepEqual(journal.take(now)?.progress, progress);
  journal.settle(id);
  assert.equal(journal.account().detail.secondRunsDeleted, 1);
});

test('calls of a chunk that only they tell of are kept in it', (t) => {
  const journal = opened(t);
  journal.append(now, litellmEvent(1), litellmEvent(2));
  journal.altered((database) => database.exec('DELETE FROM chunks'));
  const chunk = journal.take(Date.now() + minute);
  assert.equal(chunk?.calls, 2);
  assert.deepEqual(idsOf(journal.members(chunk?.id ?? 0)), ['call-1', 'call-2']);
});

test('what was kept just before a stop is recorded when it has stopped', (t) => {
  const journal = opened(t);
  journal.append(now, ...eventsFrom(1, 1_200));
  const chunk = journal.take(now, true);
  journal.chunks((own) => own.settle(chunk?.id ?? 0, 'kept'));
  assert.equal(journal.account().pending, 1_200);
  journal.reopen();
  assert.deepEqual([journal.account().pending, journal.account().recorded], [0, 1_200]);
});

test('of a chunk that cannot be kept the calls without a run are counted as shed', (t) => {
  const journal = opened(t, { runs: { ...errorsOnly, runs: 'all' } });
  journal.append(now, litellmEvent(1), litellmEvent(2));
  const [first, second] = journal.run((own) => own.take(2, server, now)).calls;
  assert.ok(first && second);
  journal.run((own) => {
    own.progress(first.seq, { destination: server, runId: 'run-1' });
    own.settle(first.seq, { kind: 'recorded' }, now);
    own.settle(second.seq, { kind: 'recorded' }, now);
  });
  const chunk = journal.take(now, true);
  journal.chunks((own) => own.settle(chunk?.id ?? 0, 'given up'));
  journal.reopen();
  const { recorded, shed, addsUp, detail } = journal.account();
  assert.deepEqual([recorded, shed, addsUp], [1, { chunk_rejected: 1 }, true]);
  assert.deepEqual([detail.chunks, detail.chunksGivenUp], [0, 1]);
});

test('a call whose record is damaged is dead, and its chunk goes without it', (t) => {
  const journal = opened(t);
  journal.append(now, litellmEvent(1), litellmEvent(2));
  journal.altered((database) =>
    database.exec('UPDATE payloads SET record_crc = record_crc + 1 WHERE seq = 1'),
  );
  const chunk = journal.take(now, true);
  assert.deepEqual(idsOf(journal.members(chunk?.id ?? 0)), ['call-2']);
  journal.settle(chunk?.id ?? 0);
  const { recorded, dead, pending, addsUp } = journal.account();
  assert.deepEqual([recorded, dead, pending, addsUp], [1, 1, 0, true]);
});

test('a call that a flipped bit makes want what does not exist ends with what does', (t) => {
  const journal = opened(t);
  journal.append(now, litellmEvent(1));
  journal.altered((database) => database.exec('UPDATE calls SET wants = wants + 4'));
  journal.settle(journal.take(now, true)?.id ?? 0);
  const { recorded, pending } = journal.account();
  assert.deepEqual([recorded, pending], [1, 0]);
});

test('a clock that was set back closes the open chunk', (t) => {
  const journal = opened(t);
  journal.append(now, litellmEvent(1));
  assert.ok(journal.take(now - 365 * 24 * 60 * minute));
});

test('a chunk that failed is due at once when all is to be sent, but not one that may be there', (t) => {
  const journal = opened(t);
  journal.append(now, litellmEvent(1));
  const first = journal.take(now, true);
  assert.ok(first);
  const later = { dueAt: now + 5 * minute, attempts: 3 };
  const progress = { destination: server, runId: 'run-1' };
  journal.chunks((own) => own.postpone(first.id, { ...later, progress }));
  assert.equal(journal.take(now), undefined);
  assert.equal(journal.take(now, true)?.id, first.id);
  const unclear = { destination: server, begunAt: now };
  journal.chunks((own) => own.postpone(first.id, { ...later, progress: unclear }));
  assert.equal(journal.take(now, true), undefined);
});

test('a replay makes runs of calls that wait for their chunk', (t) => {
  const journal = opened(t);
  journal.append(now, litellmEvent(1));
  assert.deepEqual(
    journal.run((own) => own.replay({}, now)),
    { replayed: 1 },
  );
  const { pending, addsUp, detail } = journal.account();
  assert.deepEqual([pending, addsUp, detail.chunkPending], [1, true, 1]);
  assert.equal(journal.run((own) => own.take(1, server, now)).calls.length, 1);
});

test('a call that is replayed keeps its run in its chunk and for its trace', (t) => {
  const journal = opened(t, { runs: { ...errorsOnly, runs: 'all' }, traces: true });
  journal.append(now, litellmEvent(1));
  const take = () => {
    const [call] = journal.run((own) => own.take(1, server, now)).calls;
    assert.ok(call);
    return call;
  };
  const { seq } = take();
  const settle = (runId: string) =>
    journal.run((own) => {
      const progress = { destination: server, runId };
      own.settle(seq, { kind: 'recorded', progress }, now);
    });
  const replay = () => journal.run((own) => own.replay({}, now));
  const chunk = journal.take(now, true);
  const runIds = () => [
    ...journal.members(chunk?.id ?? 0).map(({ runId }) => runId),
    ...journal.run((own) => own.traces.wanting(1, 0)).map(({ runId }) => runId),
  ];

  settle('run-1');
  replay();
  assert.deepEqual(runIds(), ['run-1', 'run-1'], 'while it waits');
  const { progress } = take();
  assert.ok(progress);
  assert.equal(progress.runId, undefined, 'it is searched for all the same');
  journal.run((own) => own.postpone(seq, { dueAt: now, attempts: 1, progress }));
  assert.deepEqual(runIds(), ['run-1', 'run-1'], 'while it is tried again');
  take();
  settle('run-1');
  replay();
  take();
  journal.run((own) => own.settle(seq, { kind: 'recorded' }, now));
  assert.deepEqual(runIds(), ['run-1', 'run-1'], 'when it was there');
  replay();
  take();
  settle('run-2');
  assert.deepEqual(runIds(), ['run-2', 'run-2'], 'when another had to be made');
});

test('where there is no room, traces are given up before any body', (t) => {
  const journal = opened(t, {
    ...{ maxBytes: 16_000_000, chunks: false, traces: true },
    runs: { ...errorsOnly, runs: 'off' },
  });
  const question = 'x'.repeat(10_000);
  for (let number = 1; number <= 2_000; number += 1) {
    journal.append(now, litellmEvent(number, { messages: [{ role: 'user', content: question }] }));
  }
  const { bodiesShed, detail, addsUp, accepting } = journal.account();
  assert.deepEqual([bodiesShed, addsUp, accepting], [0, true, true]);
  assert.ok(detail.tracesGivenUp > 0);
  assert.equal(detail.tracesGivenUp + detail.tracesPending, 2_000);
});
