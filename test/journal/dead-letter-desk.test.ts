import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { openJournal } from '../../src/journal/journal-client.ts';
import { journalDefaults } from '../support/journal-defaults.ts';
import { bodyOf, litellmEvent } from '../support/litellm-event.ts';
import { tempFolder } from '../support/temp-folder.ts';

const server = 'http://mlflow.test';
const now = 1_800_000_000_000;

/** A journal with three dead calls, of which one is another team's and model's, and a dead element. */
async function withDead(t: TestContext) {
  const journal = await openJournal(journalDefaults(tempFolder(t)), () => undefined);
  t.after(() => journal.close());
  const other = {
    model: 'anthropic/claude',
    model_group: 'claude',
    metadata: { user_api_key_team_alias: 'search', user_api_key_team_id: 'team-9' },
  };
  await journal.append(bodyOf(litellmEvent(1), litellmEvent(2), litellmEvent(3, other), null), now);
  const { calls } = await journal.take(10, server, now);
  for (const [index, { seq }] of calls.entries()) {
    const reason = index === 0 ? 'rejected' : 'server_error';
    await journal.settle(
      seq,
      { kind: 'dead', reason, detail: `HTTP 40${index}: what it quotes` },
      now + index * 1000,
    );
  }
  return journal;
}

test('dead letters are listed newest first, with who and what, and no content', async (t) => {
  const journal = await withDead(t);
  const letters = await journal.listDead({}, 10);
  assert.deepEqual(
    letters.map(({ reason, call }) => [reason, call?.callId, call?.model, call?.team]),
    [
      ['server_error', 'call-3', 'claude', 'search'],
      ['server_error', 'call-2', 'gpt-4o-mini', 'payments'],
      ['rejected', 'call-1', 'gpt-4o-mini', 'payments'],
      ['null', undefined, undefined, undefined],
    ],
  );
  assert.ok(!JSON.stringify(letters).includes('question'));
  assert.equal((await journal.listDead({}, 2)).length, 2);
});

test('each condition narrows what is meant', async (t) => {
  const journal = await withDead(t);
  const count = async (filter: Parameters<typeof journal.listDead>[0]) =>
    (await journal.listDead(filter, 100)).length;
  assert.equal(await count({ reason: 'server_error' }), 2);
  assert.equal(await count({ since: now + 1000 }), 2);
  assert.equal(await count({ model: 'claude' }), 1);
  assert.equal(await count({ model: 'anthropic/claude' }), 1);
  assert.equal(await count({ team: 'payments' }), 2);
  assert.equal(await count({ team: 'team-9' }), 1);
  assert.equal(await count({ ids: [1, 2] }), 2);
  assert.equal(await count({ reason: 'server_error', team: 'payments' }), 1);
  assert.equal(await count({ reason: "x' OR '1'='1" }), 0);
});

test('one dead letter is shown with all that is kept of it', async (t) => {
  const journal = await withDead(t);
  const [call] = await journal.listDead({ reason: 'rejected' }, 1);
  const shown = await journal.showDead(call?.id ?? 0);
  assert.equal(call?.detail, 'HTTP 400', 'a list quotes nothing');
  assert.equal(shown?.detail, 'HTTP 400: what it quotes');
  assert.ok(shown?.content.body?.includes('question 1'));
  const [element] = await journal.listDead({ reason: 'null' }, 1);
  assert.equal((await journal.showDead(element?.id ?? 0))?.content.kept, 'null');
  assert.equal(await journal.showDead(999), undefined);
});

test('a dead call that is requeued is pending, due and fresh again; the account adds up', async (t) => {
  const journal = await withDead(t);
  assert.deepEqual(await journal.requeueDead({ team: 'payments' }, now), { requeued: 2, left: 0 });
  const { calls } = await journal.take(10, server, now);
  assert.deepEqual(
    calls.map(({ record, attempts }) => [record.callId, attempts]),
    [
      ['call-1', 0],
      ['call-2', 0],
    ],
  );
  const account = await journal.account();
  assert.deepEqual([account.pending, account.dead, account.addsUp], [2, 2, true]);
  assert.equal((await journal.listDead({}, 10)).length, 2);
});

test('a call that is requeued has its failures forgiven, and its run kept', async (t) => {
  const journal = await withDead(t);
  await journal.requeueDead({ reason: 'rejected' }, now);
  const [call] = (await journal.take(1, server, now)).calls;
  assert.ok(call);
  const failures = { request: 'runs/log-batch', lastAt: now, times: 7 };
  await journal.progress(call.seq, { destination: server, runId: 'r1', failures });
  await journal.settle(call.seq, { kind: 'dead', reason: 'again', detail: 'd' }, now);
  await journal.requeueDead({ reason: 'again' }, now);
  const [again] = (await journal.take(1, server, now)).calls;
  assert.deepEqual(again?.progress, { destination: server, runId: 'r1' });
});

test('what is no call cannot be requeued and stays', async (t) => {
  const journal = await withDead(t);
  assert.deepEqual(await journal.requeueDead({}, now), { requeued: 3, left: 1 });
  assert.equal((await journal.listDead({}, 10)).length, 1);
});

test('what is purged is gone, stays dead in the account, and is known when posted again', async (t) => {
  const journal = await withDead(t);
  assert.deepEqual(await journal.purgeDead({}, now), { purged: 4 });
  assert.deepEqual(await journal.listDead({}, 10), []);
  const account = await journal.account();
  assert.deepEqual([account.dead, account.addsUp], [4, true]);
  assert.equal((await journal.append(bodyOf(litellmEvent(1)), now)).duplicates, 1);
});

test('of what is no call the newest 100,000 are kept, of calls all', async (t) => {
  const journal = await withDead(t);
  const nulls = Buffer.from(`[${Array.from({ length: 10_000 }, () => 'null').join()}]`);
  for (let post = 0; post < 11; post += 1) await journal.append(new Uint8Array(nulls), now);
  const letters = await journal.listDead({}, 200_000);
  const isCall = ({ call }: (typeof letters)[number]) => call !== undefined;
  assert.equal(letters.filter(isCall).length, 3);
  assert.ok(letters.length - 3 <= 100_000, String(letters.length));
  assert.ok(letters.length - 3 > 99_990, String(letters.length));
  assert.deepEqual((await journal.account()).dead, 4 + 110_000, 'all are counted');
});
