import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import type { Account } from '../../src/journal/account.ts';
import { JournalError, type Progress, type Settlement } from '../../src/journal/journal.ts';
import {
  type JournalOptions,
  openSqliteJournal,
  type SqliteJournal,
} from '../../src/journal/sqlite-journal.ts';
import { journalDefaults } from '../support/journal-defaults.ts';
import { bodyOf, eventsFrom, litellmEvent } from '../support/litellm-event.ts';
import { tempFolder } from '../support/temp-folder.ts';

const now = 1_800_000_000_000;
const server = 'http://mlflow.test';

function open(folder: string, changes: Partial<JournalOptions> = {}): SqliteJournal {
  return openSqliteJournal(journalDefaults(folder, { experiment: '/e/{team_alias}', ...changes }));
}

/** Runs one command, as the thread would, and gives what it answers or throws. */
function run<T>(journal: SqliteJournal, command: () => T): T {
  const [result] = journal.run([command]);
  if (result?.status === 'fulfilled') return result.value;
  throw result?.reason;
}

function opened(t: TestContext, changes: Partial<JournalOptions> = {}) {
  const folder = tempFolder(t);
  let journal = open(folder, changes);
  t.after(() => journal.close());
  return {
    folder,
    append: (...events: unknown[]) => run(journal, () => journal.append(bodyOf(...events), now)),
    take: (limit: number, at = now, destination = server) =>
      run(journal, () => journal.take(limit, destination, at)).calls,
    nextDueAt: (at: number) => run(journal, () => journal.take(0, server, at)).nextDueAt,
    account: (): Account => run(journal, () => journal.account()),
    run: <T>(command: (journal: SqliteJournal) => T): T => run(journal, () => command(journal)),
    raw: () => journal,
    reopen: () => {
      journal.close();
      journal = open(folder, changes);
    },
    /** Does something to the file while nobody has it open. */
    whileClosed: <T>(act: (database: DatabaseSync) => T): T => {
      journal.close();
      const database = new DatabaseSync(join(folder, 'journal.db'));
      try {
        return act(database);
      } finally {
        database.close();
        journal = open(folder, changes);
      }
    },
  };
}

test('a call is kept once, however often it is posted', (t) => {
  const journal = opened(t);
  const batch = eventsFrom(1, 3);
  assert.deepEqual(journal.append(...batch), {
    received: 3,
    accepted: 3,
    duplicates: 0,
    rejected: [],
  });
  assert.equal(journal.append(...batch).duplicates, 3);
  journal.reopen();
  assert.equal(journal.append(...batch).duplicates, 3);
  assert.equal(journal.account().pending, 3);
  assert.ok(journal.account().addsUp);
});

test('the same call twice in one batch is one call', (t) => {
  const journal = opened(t);
  const { accepted, duplicates } = journal.append(litellmEvent(1), litellmEvent(1));
  assert.deepEqual({ accepted, duplicates }, { accepted: 1, duplicates: 1 });
});

test('marked calls go before failed ones, those before others, and replays last', (t) => {
  const journal = opened(t, {
    runs: {
      ...{ runs: 'auto', failuresPerMinute: 20, maxRunsPerDay: 20_000, maxDrainMs: 1_800_000 },
      mark: { tags: ['audit'], models: [], teams: [] },
    },
  });
  journal.append(litellmEvent(1));
  const [replayed] = journal.take(1);
  assert.ok(replayed);
  journal.run((own) => own.settle(replayed.seq, { kind: 'recorded' }, now));
  journal.run((own) => own.replay({}, now - 1_000));
  const failure = { status: 'failure', error_information: { error_code: '500' } };
  journal.append(
    litellmEvent(2),
    litellmEvent(3, failure),
    litellmEvent(4, { request_tags: ['audit'] }),
  );
  const order = journal.take(10).map(({ record, sampleRate }) => [record.callId, sampleRate]);
  assert.deepEqual(order, [
    ['call-4', 1],
    ['call-3', undefined],
    ['call-2', 1],
    ['call-1', 1],
  ]);
});

test('a call that left the journal is still known when it is posted again', (t) => {
  const journal = opened(t, { retainMs: 0 });
  journal.append(litellmEvent(1));
  const [call] = journal.take(1);
  assert.ok(call);
  journal.run((own) => own.settle(call.seq, { kind: 'recorded' }, now));
  journal.raw().tidy(now + 1);
  assert.equal(
    journal.run((own) => own.body(call.seq)),
    undefined,
    'it has left',
  );
  journal.reopen();
  assert.equal(journal.append(litellmEvent(1)).duplicates, 1);
  assert.ok(journal.account().addsUp);
});

test('ids of calls gone by are forgotten when there are too many of them', (t) => {
  const journal = opened(t, { retainMs: 0, dedupeEntries: 1_000 });
  const settleAll = () => {
    for (const { seq } of journal.take(10_000)) {
      journal.run((own) => own.settle(seq, { kind: 'recorded' }, now));
    }
    while (journal.raw().tidy(now + 1));
  };
  journal.append(...eventsFrom(1, 1_000));
  settleAll();
  journal.append(...eventsFrom(1_001, 2_500));
  settleAll();
  assert.equal(journal.append(litellmEvent(1)).accepted, 1, 'the oldest is forgotten');
  assert.equal(journal.append(litellmEvent(2_500)).duplicates, 1, 'the newest is not');
  assert.equal(journal.append(litellmEvent(1_700)).duplicates, 1, 'nor one within the most kept');
});

test('calls are handed out oldest first, and each to one taker only', (t) => {
  const journal = opened(t);
  journal.append(...eventsFrom(1, 5));
  const first = journal.take(2);
  const second = journal.take(10);
  assert.deepEqual(
    [...first, ...second].map((call) => call.record.callId),
    ['call-1', 'call-2', 'call-3', 'call-4', 'call-5'],
  );
  assert.deepEqual(journal.take(10), []);
});

test('a call that was put off comes back when it is due, with its progress', (t) => {
  const journal = opened(t);
  journal.append(litellmEvent(1));
  const [call] = journal.take(1);
  assert.ok(call);
  const progress: Progress = { destination: server, runId: 'r1', done: ['logged'] };
  journal.run((own) => own.postpone(call.seq, { dueAt: now + 500, attempts: 3, progress }));
  assert.deepEqual(journal.take(1, now + 499), []);
  assert.equal(journal.nextDueAt(now), now + 500);
  const [again] = journal.take(1, now + 500);
  assert.equal(again?.attempts, 3);
  assert.deepEqual(again?.progress, progress);
});

test('what was begun when the process died is known to have been begun', (t) => {
  const journal = opened(t);
  journal.append(litellmEvent(1), litellmEvent(2));
  const [begun] = journal.take(1, now + 7);
  assert.equal(begun?.progress, undefined, 'nothing was sent for it before');
  journal.reopen();
  const [first, second] = journal.take(2, now + 9);
  assert.deepEqual(first?.progress, { destination: server, begunAt: now + 7 });
  assert.equal(second?.progress, undefined, 'the other had not been touched');
});

test('a call that was given back unsent is begun anew at the next take', (t) => {
  const journal = opened(t);
  journal.append(litellmEvent(1));
  const [call] = journal.take(1);
  assert.ok(call);
  const progress = { destination: server };
  journal.run((own) => own.postpone(call.seq, { dueAt: now, attempts: 0, progress }));
  assert.equal(journal.take(1, now + 5)[0]?.progress?.begunAt, undefined);
  journal.reopen();
  assert.equal(journal.take(1, now + 6)[0]?.progress?.begunAt, now + 5);
});

test('a call whose progress is damaged counts as begun, and stops nobody', (t) => {
  const journal = opened(t);
  journal.append(litellmEvent(1), litellmEvent(2));
  const [call] = journal.take(1);
  assert.ok(call);
  journal.run((own) => own.progress(call.seq, { destination: server, runId: 'r1' }));
  journal.whileClosed((database) =>
    database.exec(
      `UPDATE calls SET progress = '{"destination":"http://ml' WHERE progress IS NOT NULL`,
    ),
  );
  const calls = journal.take(10);
  assert.deepEqual(calls[0]?.progress, { destination: server, begunAt: 0 });
  assert.equal(calls.length, 2);
});

test('calls that are due in a far future, since the clock was set back, are due now', (t) => {
  const journal = opened(t);
  journal.append(litellmEvent(1));
  const dayBefore = now - 86_400_000;
  assert.equal(journal.take(1, dayBefore)[0]?.record.callId, 'call-1');
});

test('the bound holds for posts that share a commit', (t) => {
  const maxBytes = 32 * 1024 * 1024;
  const journal = opened(t, { maxBytes });
  const own = journal.raw();
  const large = (number: number) =>
    bodyOf(litellmEvent(number, { messages: 'x'.repeat(7_000_000), status: 'failure' }));
  const results = own.run([1, 2, 3, 4].map((number) => () => own.append(large(number), now)));
  assert.ok(
    results.some(({ status }) => status === 'rejected'),
    'they do not all fit',
  );
  const onDisk = readdirSync(journal.folder).reduce(
    (sum, file) => sum + statSync(join(journal.folder, file)).size,
    0,
  );
  assert.ok(onDisk <= maxBytes, `${onDisk} of ${maxBytes} bytes`);
});

test('progress counts for its own destination, and is known when that comes back', (t) => {
  const journal = opened(t);
  journal.append(litellmEvent(1));
  const [call] = journal.take(1);
  assert.ok(call);
  const reached = { destination: server, runId: 'r1', done: ['logged'] };
  journal.run((own) => own.progress(call.seq, reached));
  journal.reopen();
  const [elsewhere] = journal.take(1, now, 'http://wrong.test');
  assert.deepEqual(elsewhere?.progress, { destination: 'http://wrong.test', before: reached });
  journal.reopen();
  assert.deepEqual(journal.take(1)[0]?.progress, reached);
});

test('a replay stays one, whatever the destination', (t) => {
  const journal = opened(t);
  journal.append(...eventsFrom(1, 2));
  const progress = { destination: server, runId: 'r1' };
  for (const { seq } of journal.take(2)) {
    journal.run((own) => own.settle(seq, { kind: 'recorded', progress }, now));
  }
  const replay = (again: boolean) => journal.run((own) => own.replay({ again }, now));
  const takenBy = (destination: string) => {
    journal.reopen();
    const { again, replayed, begunAt, earlierRunId } =
      journal.take(2, now, destination)[0]?.progress ?? {};
    return { again, replayed, begunAt, earlierRunId };
  };
  const seek = { again: undefined, replayed: true, begunAt: 0, earlierRunId: 'r1' };
  replay(false);
  assert.deepEqual(takenBy(server), seek);
  assert.deepEqual(takenBy('http://another.test'), seek);
  for (const { seq } of journal.take(2)) {
    journal.run((own) => own.settle(seq, { kind: 'recorded' }, now));
  }
  journal.reopen();
  for (const { seq } of journal.take(2)) {
    journal.run((own) => own.settle(seq, { kind: 'recorded' }, now));
  }
  replay(true);
  assert.equal(takenBy(server).again, now);
  assert.equal(takenBy('http://another.test').again, now);
});

test('a replay that was begun at one destination is one at the next, and at the first again', (t) => {
  const journal = opened(t);
  journal.append(litellmEvent(1));
  for (const isAgain of [false, true]) {
    const [call] = journal.take(1);
    assert.ok(call);
    const { seq } = call;
    const progress = { destination: server, runId: 'r1' };
    journal.run((own) => own.settle(seq, { kind: 'recorded', progress }, now));
    journal.run((own) => own.replay({ again: isAgain }, now));
    for (const destination of [server, 'http://another.test', server]) {
      const begun = journal.take(1, now, destination)[0]?.progress;
      assert.ok(begun);
      const { again, replayed, earlierRunId } = begun;
      assert.deepEqual(
        { again, replayed, earlierRunId },
        isAgain
          ? { again: now, replayed: undefined, earlierRunId: 'r1' }
          : { again: undefined, replayed: true, earlierRunId: 'r1' },
        destination,
      );
      journal.run((own) => own.progress(seq, begun));
      journal.reopen();
    }
  }
});

test('of a replay only the runs count that it made', (t) => {
  const journal = opened(t);
  journal.append(litellmEvent(1));
  /** Ends the call as its delivery does; answers how many runs are counted by then. */
  const runsAfter = (settlement: Settlement, changes: Partial<Progress> = {}) => {
    const [call] = journal.take(1);
    assert.ok(call);
    const { seq, progress = { destination: server } } = call;
    journal.run((own) => own.progress(seq, { ...progress, ...changes }));
    journal.run((own) => own.settle(seq, settlement, now));
    return journal.account().detail.runs;
  };
  const replay = (again = false) => journal.run((own) => own.replay({ again }, now));
  const recorded: Settlement = { kind: 'recorded' };
  assert.equal(runsAfter(recorded, { runId: 'r1' }), 1);
  replay();
  assert.equal(runsAfter(recorded, { runId: 'r1' }), 1, 'it was there');
  replay();
  assert.equal(runsAfter(recorded, { runId: 'r2', resent: true }), 2, 'it had to be made');
  replay(true);
  assert.equal(runsAfter(recorded, { runId: 'r3' }), 3, 'another was asked for');
  replay(true);
  assert.equal(runsAfter({ kind: 'shed', reason: 'deleted' }), 3, 'another came to nothing');
  assert.equal(journal.account().recorded, 1);
});

test('second runs that were deleted are counted once, however the call ends, and ends again', (t) => {
  const journal = opened(t);
  journal.append(litellmEvent(1));
  const [call] = journal.take(1);
  assert.ok(call);
  const progress = {
    destination: server,
    runId: 'r1',
    resent: true,
    secondRunsDeleted: 2,
  } as const;
  journal.run((own) => own.progress(call.seq, progress));
  journal.run((own) =>
    own.settle(call.seq, { kind: 'dead', reason: 'rejected', detail: 'x' }, now),
  );
  assert.equal(journal.account().detail.secondRunsDeleted, 2);
  journal.run((own) => own.dead.requeue({}, now));
  assert.deepEqual(journal.take(1)[0]?.progress, {
    ...{ destination: server, runId: 'r1', resent: true },
  });
  journal.run((own) => own.settle(call.seq, { kind: 'recorded' }, now));
  assert.equal(journal.account().detail.secondRunsDeleted, 2);
});

test('every way for a call to end keeps the account in balance', (t) => {
  const journal = opened(t);
  journal.append(...eventsFrom(1, 4), null, 17);
  const [recorded, dead, shed] = journal.take(3);
  assert.ok(recorded && dead && shed);
  journal.run((own) => own.settle(recorded.seq, { kind: 'recorded' }, now));
  journal.run((own) => own.settle(dead.seq, { kind: 'dead', reason: 'r', detail: 'd' }, now));
  journal.run((own) => own.settle(shed.seq, { kind: 'shed', reason: 'deleted' }, now));
  const { received, accepted, pending, duplicate, addsUp, ...account } = journal.account();
  assert.deepEqual(
    { received, accepted, recorded: account.recorded, pending, dead: account.dead, duplicate },
    { received: 6, accepted: 4, recorded: 1, pending: 1, dead: 3, duplicate: 0 },
  );
  assert.deepEqual(account.shed, { deleted: 1 });
  assert.ok(addsUp);
});

test('a call is settled once only', (t) => {
  const journal = opened(t);
  journal.append(litellmEvent(1));
  const [call] = journal.take(1);
  assert.ok(call);
  journal.run((own) => own.settle(call.seq, { kind: 'recorded' }, now));
  journal.run((own) => own.settle(call.seq, { kind: 'dead', reason: 'r', detail: 'd' }, now));
  assert.equal(journal.account().recorded, 1);
  assert.equal(journal.account().dead, 0);
});

test('an unusable part of a post is noted with its place, size and hash, secrets masked', (t) => {
  const journal = opened(t);
  const broken = '{"id": "x", "authorization": "Bearer abcdefghijklmnop", "messages": [}';
  const body = new Uint8Array(Buffer.from(`[${broken}]`));
  const receipt = journal.run((own) => own.append(body, now));
  assert.deepEqual(receipt.rejected, [{ index: 0, reason: 'broken_json' }]);
  const [letter] = journal.whileClosed((database) =>
    database.prepare('SELECT * FROM dead_letters').all(),
  );
  assert.equal(letter?.['reason'], 'broken_json');
  assert.equal(letter?.['detail'], 'at byte 1 of the body');
  assert.match(String(letter?.['sha256']), /^[0-9a-f]{64}$/);
  const kept = letter?.['kept'];
  assert.ok(kept instanceof Uint8Array);
  assert.match(Buffer.from(kept).toString(), /"id": "x", "authorization": "\*\*\*"/);
});

/** A failure whose record alone takes 64 KiB, since its traceback belongs to the record. */
const bulky = {
  status: 'failure',
  error_information: { error_class: 'E', traceback: 'x'.repeat(64 * 1024) },
};

test('a full journal refuses more calls, lets the others end, and then takes calls again', (t) => {
  const journal = opened(t, { maxBytes: 16 * 1024 * 1024, retainMs: 0 });
  let count = 0;
  const fill = () => {
    for (; count < 400; count += 1) journal.append(litellmEvent(count, bulky));
  };
  const isFull = (error: unknown) => error instanceof JournalError && error.code === 'JOURNAL_FULL';
  assert.throws(fill, isFull);
  // The log that counted against the first refusal has been folded back since.
  assert.throws(fill, isFull);
  assert.ok(count > 50, `${count} calls of 64 KiB fit into 16 MiB`);
  assert.ok(!journal.account().accepting);
  assert.ok(journal.account().bytes <= 16 * 1024 * 1024);
  assert.equal(journal.account().pending, count, 'no record was given up');
  for (const { seq } of journal.take(400)) {
    journal.run((own) => own.settle(seq, { kind: 'recorded' }, now));
  }
  while (journal.raw().tidy(now + 1));
  assert.equal(journal.append(litellmEvent(1_000, bulky)).accepted, 1);
  assert.ok(journal.account().addsUp);
});

test('detail is given up for room in order: what is recorded, bodies of successes, of failures', (t) => {
  const journal = opened(t, { maxBytes: 16 * 1024 * 1024 });
  const large = (number: number, status: string) =>
    litellmEvent(number, { status, messages: `${number} ${'x'.repeat(400_000)}` });
  const bodies = () =>
    journal.whileClosed((database) =>
      database
        .prepare(
          "SELECT record ->> '$.callId' AS id FROM payloads WHERE body IS NOT NULL ORDER BY seq",
        )
        .all()
        .map((row) => Number(String(row['id']).replace('call-', ''))),
    );
  const append = (from: number, to: number, status: string) => {
    for (let number = from; number <= to; number += 1) journal.append(large(number, status));
  };

  append(1, 5, 'success');
  for (const { seq } of journal.take(5)) {
    journal.run((own) => own.settle(seq, { kind: 'recorded' }, now));
  }
  append(6, 15, 'failure');
  append(16, 25, 'success');
  append(26, 30, 'success');
  const first = bodies();
  assert.ok(!first.includes(1) && first.includes(6), `recorded calls go first: ${first}`);
  append(31, 45, 'success');
  const second = bodies();
  assert.ok(!second.includes(16) && second.includes(6), `then successes, oldest first: ${second}`);
  append(46, 80, 'failure');
  const third = bodies();
  assert.ok(
    !third.includes(45) && !third.includes(6) && third.includes(80),
    `then failures: ${third}`,
  );

  const account = journal.account();
  assert.deepEqual([account.pending, account.recorded, account.addsUp], [75, 5, true]);
  assert.equal(account.bodiesShed, 75 - third.length);
});

test('a post that can never fit costs no detail, and the next one finds room', (t) => {
  const journal = opened(t, { maxBytes: 16 * 1024 * 1024 });
  for (let call = 0; call < 100; call += 1) {
    journal.append(litellmEvent(call, { messages: 'x'.repeat(60_000) }));
  }
  const impossible = litellmEvent(1_000, { messages: 'x'.repeat(14_000_000) });
  assert.throws(() => journal.append(impossible), /used up/);
  const before = journal.account().bodiesShed;
  for (let call = 2_000; call < 2_020; call += 1) {
    const posted = litellmEvent(call, { messages: 'x'.repeat(900_000) });
    assert.equal(journal.append(posted).accepted, 1, `call ${call}`);
  }
  assert.ok(journal.account().bodiesShed > before);
});

test('a post that is refused after detail was given up takes nothing from the next', (t) => {
  const journal = opened(t, { maxBytes: 16 * 1024 * 1024 });
  const own = journal.raw();
  for (let call = 0; call < 60; call += 1) {
    journal.append(litellmEvent(call, { messages: 'x'.repeat(90_000) }));
  }
  const large = litellmEvent(1_000, { messages: 'x'.repeat(900_000) });
  own.run([
    () => {
      for (let call = 3_000; call < 3_010; call += 1) {
        own.append(bodyOf(litellmEvent(call, { messages: 'x'.repeat(900_000) })), now);
      }
      throw new Error('undone');
    },
  ]);
  assert.equal(journal.append(large).accepted, 1);
});

test('what is kept of dead letters makes room for calls', (t) => {
  const journal = opened(t, { maxBytes: 16 * 1024 * 1024 });
  const broken = () => new Uint8Array(Buffer.from(`[{"id": ${'x '.repeat(450_000)}}]`));
  for (let post = 0; post < 30; post += 1) journal.run((own) => own.append(broken(), now));
  const kept = journal.whileClosed((database) =>
    database.prepare('SELECT count(kept) AS kept, count(*) AS all_of_them FROM dead_letters').get(),
  );
  assert.equal(kept?.['all_of_them'], 30, 'each is still noted');
  assert.ok(Number(kept?.['kept']) < 15, `${kept?.['kept']} are kept whole`);
  assert.equal(journal.append(litellmEvent(1)).accepted, 1);
});

test('a command that fails is undone alone; the others of its commit stand', (t) => {
  const journal = opened(t);
  const own = journal.raw();
  const results = own.run([
    () => own.append(bodyOf(litellmEvent(1)), now),
    () => {
      own.append(bodyOf(litellmEvent(2)), now);
      own.take(2, server, now);
      throw new Error('after it wrote');
    },
    () => own.append(bodyOf(litellmEvent(3)), now),
  ]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.deepEqual(
    journal.take(10).map((call) => call.record.callId),
    ['call-1', 'call-3'],
    'what the failed command took is free again',
  );
  assert.ok(journal.account().addsUp);
});

test('a call whose record is damaged dies alone', (t) => {
  const journal = opened(t);
  journal.append(...eventsFrom(1, 3));
  journal.whileClosed((database) =>
    database.exec(`UPDATE payloads SET record = replace(record, 'call-2', 'call-X')`),
  );
  assert.deepEqual(
    journal.take(10).map((call) => call.record.callId),
    ['call-1', 'call-3'],
  );
  assert.equal(journal.account().dead, 1);
  assert.ok(journal.account().addsUp);
});

test('a body whose checksum is wrong is not handed out', (t) => {
  const journal = opened(t);
  journal.append(litellmEvent(1));
  journal.whileClosed((database) => database.exec(`UPDATE payloads SET body = CAST('{}' AS BLOB)`));
  const [call] = journal.take(1);
  assert.ok(call);
  assert.equal(
    journal.run((own) => own.body(call.seq)),
    undefined,
  );
});

test('a second opener of the same folder is refused by name', (t) => {
  const journal = opened(t);
  assert.throws(
    () => open(journal.folder),
    (error) =>
      error instanceof JournalError &&
      error.code === 'JOURNAL_IN_USE' &&
      error.message.includes(journal.folder),
  );
});

test('a journal of a later version is refused by name, and left as it is', (t) => {
  const journal = opened(t);
  journal.append(litellmEvent(1));
  journal.whileClosed((database) => {
    database.exec('PRAGMA user_version = 99');
    database.close();
    assert.throws(
      () => open(journal.folder),
      (error) => error instanceof JournalError && error.code === 'JOURNAL_TOO_NEW',
    );
    database.open();
    database.exec('PRAGMA user_version = 1');
  });
  assert.equal(journal.account().pending, 1);
});

test('no more than 500 experiments are made; later calls go to one that is called other', (t) => {
  const journal = opened(t);
  const events = eventsFrom(1, 503).map((event, index) => ({
    ...event,
    metadata: { user_api_key_team_alias: `team-${index}` },
  }));
  journal.append(...events);
  const names = journal.take(503).map((call) => call.experiment);
  assert.equal(names[499], '/e/team-499');
  assert.deepEqual(names.slice(500), ['/e/other', '/e/other', '/e/other']);
  journal.append({ ...litellmEvent(900), metadata: { user_api_key_team_alias: 'team-3' } });
  assert.equal(journal.take(1)[0]?.experiment, '/e/team-3');
});
