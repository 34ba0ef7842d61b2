import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type JournalOptions, openSqliteJournal } from '../../src/journal/sqlite-journal.ts';
import { journalDefaults } from '../support/journal-defaults.ts';
import { bodyOf, eventsFrom, litellmEvent } from '../support/litellm-event.ts';
import { tempFolder } from '../support/temp-folder.ts';

const now = 1_800_000_000_000;
const none: NonNullable<JournalOptions['runs']> = {
  ...{ runs: 'off', failuresPerMinute: 20, maxRunsPerDay: 20_000, maxDrainMs: 60_000 },
  mark: { tags: [], models: [], teams: [] },
};

function opened(t: TestContext, changes: Partial<JournalOptions> = {}) {
  const folder = tempFolder(t);
  const open = (options: Partial<JournalOptions>) =>
    openSqliteJournal(
      journalDefaults(folder, {
        ...{ traces: true, runs: none, experiment: '/e/{team_id}' },
        ...options,
      }),
    );
  let journal = open(changes);
  t.after(() => journal.close());
  const run = <T>(command: () => T): T => {
    const [result] = journal.run([command]);
    if (result?.status === 'fulfilled') return result.value;
    throw result?.reason;
  };
  return {
    append: (...events: unknown[]) => run(() => journal.append(bodyOf(...events), now)),
    wanting: (limit = 10, after = 0) => run(() => journal.traces.wanting(limit, after)),
    begin: (...seqs: number[]) => run(() => journal.traces.begin(seqs, now)),
    ended: (seqs: number[]) => run(() => journal.traces.ended(seqs, 'kept', now)),
    shed: () => run(() => journal.traces.shed(now)),
    waive: (isWaived = true) => run(() => journal.traces.waive(isWaived)),
    account: () => run(() => journal.account()),
    tidy: () => {
      while (journal.tidy(now));
    },
    reopen: (options: Partial<JournalOptions> = changes) => {
      journal.close();
      journal = open(options);
    },
  };
}

const ofTeam = (number: number, team: string) =>
  litellmEvent(number, { metadata: { user_api_key_team_id: team } });

test('calls that want a trace come oldest first, until they have it', (t) => {
  const journal = opened(t);
  journal.append(ofTeam(1, 'a'), ofTeam(2, 'b'), ofTeam(3, 'a'));
  const first = journal.wanting(2);
  assert.deepEqual(
    first.map(({ record, experiment, begunBefore }) => [record.callId, experiment, begunBefore]),
    [
      ['call-1', '/e/a', false],
      ['call-2', '/e/b', false],
    ],
  );
  const ids = (limit: number, after = 0) =>
    journal.wanting(limit, after).map(({ record }) => record.callId);
  assert.deepEqual(ids(10, first[1]?.seq), ['call-3']);
  journal.ended(first.map(({ seq }) => seq));
  assert.deepEqual(ids(10), ['call-3']);
});

test('a call whose trace may have been sent says so, also after a restart', (t) => {
  const journal = opened(t);
  journal.append(litellmEvent(1), litellmEvent(2));
  const begun = () => journal.wanting().map(({ begunBefore }) => begunBefore);
  assert.deepEqual(begun(), [false, false]);
  journal.begin(journal.wanting()[0]?.seq ?? 0);
  journal.reopen();
  assert.deepEqual(begun(), [true, false]);
});

test('a call is recorded when it has its trace', (t) => {
  const journal = opened(t);
  journal.append(litellmEvent(1));
  assert.deepEqual([journal.account().pending, journal.account().detail.tracesPending], [1, 1]);
  journal.ended(journal.wanting(1).map(({ seq }) => seq));
  const { pending, recorded, addsUp, detail } = journal.account();
  assert.deepEqual([pending, recorded, addsUp, detail.traces], [0, 1, true, 1]);
});

test('where the server takes no traces, nothing waits for one', (t) => {
  const journal = opened(t);
  journal.append(...eventsFrom(1, 1_200));
  journal.waive();
  journal.tidy();
  journal.append(litellmEvent(2_000));
  const { pending, recorded, addsUp } = journal.account();
  assert.deepEqual([pending, recorded, addsUp], [0, 1_201, true]);
  assert.deepEqual(journal.wanting(), []);
});

test('a server that takes traces after all gets those of the calls since', (t) => {
  const journal = opened(t);
  journal.waive();
  journal.append(litellmEvent(1));
  assert.equal(journal.account().detail.tracesWaived, true);
  journal.waive(false);
  journal.append(litellmEvent(2));
  const { recorded, detail } = journal.account();
  assert.deepEqual([recorded, detail.tracesPending, detail.tracesWaived], [1, 1, false]);
});

test('where traces are not wanted any more, those that wait for one are let go', (t) => {
  const journal = opened(t);
  journal.append(...eventsFrom(1, 3));
  journal.reopen({ traces: false });
  journal.tidy();
  assert.deepEqual([journal.account().pending, journal.account().recorded], [0, 3]);
});

test('a trace that was given up for want of room while it was sent ends all the same', (t) => {
  const journal = opened(t);
  journal.append(litellmEvent(1), litellmEvent(2));
  const seqs = journal.wanting().map(({ seq }) => seq);
  assert.equal(journal.shed(), 2);
  journal.ended(seqs);
  const { pending, recorded, addsUp, detail } = journal.account();
  assert.deepEqual([pending, recorded, addsUp, detail.tracesPending], [0, 2, true, 0]);
});
