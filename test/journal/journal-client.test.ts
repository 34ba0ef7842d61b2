import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Journal, JournalError } from '../../src/journal/journal.ts';
import { openJournal } from '../../src/journal/journal-client.ts';
import type { JournalOptions } from '../../src/journal/sqlite-journal.ts';
import { journalDefaults } from '../support/journal-defaults.ts';
import { bodyOf, eventsFrom, litellmEvent } from '../support/litellm-event.ts';
import { tempFolder } from '../support/temp-folder.ts';

const server = 'http://mlflow.test';

async function open(
  t: TestContext,
  folder = tempFolder(t),
  changes: Partial<JournalOptions> = {},
): Promise<Journal> {
  const deaths: string[] = [];
  const journal = await openJournal(journalDefaults(folder, changes), (reason) =>
    deaths.push(reason),
  );
  t.after(async () => {
    await journal.close().catch(() => undefined);
    assert.deepEqual(deaths, []);
  });
  return journal;
}

test('calls go through the thread and come back', async (t) => {
  const journal = await open(t);
  const receipt = await journal.append(bodyOf(...eventsFrom(1, 2)), 5);
  assert.equal(receipt.accepted, 2);
  const { calls } = await journal.take(10, server, 5);
  assert.deepEqual(
    calls.map((call) => call.record.callId),
    ['call-1', 'call-2'],
  );
  const [call] = calls;
  assert.ok(call);
  const body: unknown = JSON.parse(Buffer.from((await journal.body(call.seq)) ?? []).toString());
  assert.deepEqual(Object.keys(body ?? {}), ['request', 'response', 'context']);
  await journal.settle(call.seq, { kind: 'recorded' }, 6);
  const account = await journal.account();
  assert.equal(account.recorded, 1);
  assert.ok(account.addsUp);
});

test('many posts at once are all answered for themselves', async (t) => {
  const journal = await open(t);
  const receipts = await Promise.all(
    Array.from({ length: 50 }, (_, post) =>
      journal.append(bodyOf(litellmEvent(post), litellmEvent(post % 10)), 1),
    ),
  );
  const accepted = receipts.reduce((sum, receipt) => sum + receipt.accepted, 0);
  const duplicates = receipts.reduce((sum, receipt) => sum + receipt.duplicates, 0);
  assert.deepEqual({ accepted, duplicates }, { accepted: 50, duplicates: 50 });
});

test('what was answered is on disk, and what was asked before the close is still done', async (t) => {
  const folder = tempFolder(t);
  const first = await open(t, folder);
  const appended = first.append(bodyOf(...eventsFrom(1, 20)), 1);
  await first.close();
  assert.equal((await appended).accepted, 20);
  const second = await open(t, folder);
  assert.equal((await second.account()).pending, 20);
});

test('a call counts in the interval in which it was committed, however long its post took', async (t) => {
  const intervalMs = 60_000;
  const usage = { intervalMs, timeZone: 'UTC', by: [], maxSeries: 10 };
  const journal = await open(t, tempFolder(t), { usage });
  const before = Date.now();
  await journal.append(bodyOf(litellmEvent(1)), before - 10 * intervalMs);
  const { calls } = await journal.take(1, server, Date.now());
  assert.equal(calls[0]?.receivedAt, before - 10 * intervalMs);
  const report = await journal.usageReport(server, Date.now() + intervalMs, 0);
  const [interval] = report?.intervals ?? [];
  assert.ok(interval);
  assert.equal(interval.sums.get('')?.attempts, 1);
  assert.ok(interval.endsAt > before, `it ended ${before - interval.endsAt} ms before`);
});

test('a journal that is closed refuses', async (t) => {
  const journal = await open(t);
  await journal.close();
  await assert.rejects(
    journal.append(bodyOf(litellmEvent(1)), 1),
    (error) => error instanceof JournalError && error.code === 'JOURNAL_UNAVAILABLE',
  );
});

test('a journal may be closed twice', async (t) => {
  const journal = await open(t);
  await journal.close();
  await journal.close();
});

test('a folder that another has is refused when the journal is opened', async (t) => {
  const folder = tempFolder(t);
  await open(t, folder);
  await assert.rejects(
    open(t, folder),
    (error) => error instanceof JournalError && error.code === 'JOURNAL_IN_USE',
  );
});
