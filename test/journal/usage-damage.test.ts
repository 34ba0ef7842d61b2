import assert from 'node:assert/strict';
import { closeSync, copyFileSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { flipBit, overwrite, page, rootOf } from '../support/damaged-journal.ts';
import { litellmEvent } from '../support/litellm-event.ts';
import {
  day0,
  destination,
  failedEvent,
  hour,
  minute,
  openUsageJournal,
  sumOver,
} from '../support/usage-journal.ts';

const at = day0 + 10 * hour;

const fixture = new URL('../fixtures/journal/v1.db', import.meta.url);
const fileIn = (folder: string) => join(folder, 'journal.db');

test('a salvage keeps what was counted, what was closed, and which runs there are', (t) => {
  const own = openUsageJournal(t, { by: ['model'], maxSeries: 1 });
  own.append(at, litellmEvent(1), failedEvent(2, { litellm_call_id: 'again' }));
  own.deliver(at + 5 * minute);
  own.reopenAfter((folder) => writeFileSync(join(folder, 'damaged'), ''));
  assert.equal(own.journal.damage?.database?.reason, 'a command met damage');
  own.append(at, litellmEvent(3, { litellm_call_id: 'again', model_group: 'other' }));
  const [report] = own.deliver(at + 10 * minute).reports;
  assert.equal(report?.run.runId, 'run');
  assert.equal(report?.intervals[0]?.endsAt, at + 10 * minute);
  assert.deepEqual(
    [...(report?.intervals[0]?.sums ?? [])].map(([series, { attempts }]) => [series, attempts]),
    [
      ['', 1],
      ['model/(other)', 1],
      ['errors/rate_limit', 0],
      ['model/gpt-4o-mini', 0],
    ],
  );
  assert.equal(report?.intervals[0]?.sums.get('')?.recovered, 1);
  assert.equal(report?.intervals[0]?.dayTotals.attempts, 3);
});

test('latencies that damage made unreadable stop neither calls nor reports', (t) => {
  const own = openUsageJournal(t);
  own.append(at, litellmEvent(1));
  own.reopenAfter((folder) => {
    const database = new DatabaseSync(fileIn(folder));
    database.exec("UPDATE usage SET latencies = '[x', first_tokens = ''");
    database.close();
  });
  own.append(at, litellmEvent(2));
  const { reports } = own.deliver(at + 5 * minute);
  assert.equal(sumOver(reports, '').attempts, 2);
});

test('damage that shows only when all names of models are read is salvaged in the same start', (t) => {
  const own = openUsageJournal(t);
  own.append(at, litellmEvent(1), litellmEvent(2, { model_group: 'other' }));
  own.reopenAfter((folder) => {
    const names = (rootOf(folder, 'usage_names') - 1) * page;
    const second = names + readFileSync(fileIn(folder)).readUInt16BE(names + 10);
    // Its length: more than the file has.
    overwrite(fileIn(folder), second, Buffer.from([0xff, 0xff, 0xff, 0x7f]));
  });
  assert.ok(own.journal.damage?.database);
  own.append(at, litellmEvent(3));
  assert.equal(sumOver(own.deliver(at + 5 * minute).reports, '').attempts, 3);
});

test('a name that an index has otherwise than the table is not sent for again and again', (t) => {
  const own = openUsageJournal(t, { by: ['model'] });
  own.append(at, litellmEvent(1));
  own.reopenAfter((folder) => {
    const index = (rootOf(folder, 'usage_by_series') - 1) * page;
    const name = readFileSync(fileIn(folder)).indexOf('model/', index);
    assert.ok(name < index + page);
    flipBit(fileIn(folder), name + 6, 7);
  });
  assert.throws(() => own.deliver(at + 5 * minute), { code: 'JOURNAL_DAMAGED' });
  own.reopenAfter(() => undefined);
  const { totals } = own.deliver(at + 5 * minute);
  assert.deepEqual(
    totals.map(({ series }) => series),
    ['model/gpt-4o-mini'],
  );
});

test('no number of tokens is too large to be added up', (t) => {
  const own = openUsageJournal(t);
  const huge = {
    prompt_tokens: Number.MAX_SAFE_INTEGER,
    total_tokens: 1e300,
    response_cost: 1e308,
  };
  for (let number = 0; number < 3; number += 1) {
    const events = Array.from({ length: 500 }, (_, one) => litellmEvent(number * 500 + one, huge));
    own.append(at, ...events);
    own.reopen();
  }
  const { reports, totals } = own.deliver(at + 5 * minute);
  assert.equal(sumOver(reports, '').promptTokens / Number.MAX_SAFE_INTEGER, 1500);
  assert.equal(totals[0]?.sums.attempts, 1500);
});

test('a journal of the first version begins to count when it is opened', (t) => {
  const own = openUsageJournal(t);
  own.reopenAfter((folder) => copyFileSync(fixture, fileIn(folder)));
  assert.equal(own.journal.damage, undefined);
  assert.equal(
    own.usage((usage) => usage.report(destination, at, 0)),
    undefined,
  );
  own.append(at, litellmEvent(1), litellmEvent(100));
  assert.equal(sumOver(own.deliver(at + 5 * minute).reports, '').attempts, 1, 'one was known');
});

test('a first page of zeros costs a journal that came from the first version no call', (t) => {
  const own = openUsageJournal(t);
  own.reopenAfter((folder) => copyFileSync(fixture, fileIn(folder)));
  const before = own.journal.run([() => own.journal.account()])[0];
  own.reopenAfter((folder) => {
    const file = openSync(fileIn(folder), 'r+');
    writeSync(file, Buffer.alloc(4096), 0, 4096, 0);
    closeSync(file);
  });
  const after = own.journal.run([() => own.journal.account()])[0];
  assert.ok(before?.status === 'fulfilled' && after?.status === 'fulfilled');
  assert.equal(after.value.pending, before.value.pending);
  assert.ok(after.value.addsUp);
  own.append(at, litellmEvent(100));
  assert.equal(sumOver(own.deliver(at + 5 * minute).reports, '').attempts, 1);
});
