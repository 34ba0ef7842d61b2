import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admitCall } from '../support/admitted-call.ts';
import { litellmEvent } from '../support/litellm-event.ts';
import {
  day0,
  failedEvent,
  hour,
  minute,
  openUsageJournal,
  type UsageJournal,
} from '../support/usage-journal.ts';

const at = day0 + 10 * hour;
const week = 7 * 24 * hour;
const model = (name: string) => ({ model_group: name });

/** The models of the last interval that has closed before `now`, with their calls. */
function models(own: UsageJournal, now: number) {
  const { sums = new Map() } = own.deliver(now).reports.at(-1)?.intervals.at(-1) ?? {};
  const all = [...sums].filter(([series]) => series.startsWith('model/'));
  return Object.fromEntries(all.map(([series, { attempts }]) => [series.slice(6), attempts]));
}

test('a name that no success has shown has no series of its own', (t) => {
  const own = openUsageJournal(t);
  own.append(at, failedEvent(1, model('made-up')), failedEvent(2, model('later')));
  own.append(at, litellmEvent(3, model('later')), failedEvent(4, model('later')));
  assert.deepEqual(models(own, at + 5 * minute), { '(other)': 2, later: 2 });
});

test('names beyond the most that may be share one series, over a restart, too', (t) => {
  const own = openUsageJournal(t, { by: ['model', 'team', 'key'], maxSeries: 4 });
  const named = (name: string, number: number) => litellmEvent(number, model(name));
  own.append(at, named('a', 1), named('b', 2));
  own.reopen();
  own.append(at, named('c', 3), named('a', 4));
  assert.deepEqual(models(own, at + 5 * minute), { a: 2, b: 1, '(other)': 1 });
});

test('a name that has not been seen for a week makes room for another', (t) => {
  const own = openUsageJournal(t, { by: ['model'], maxSeries: 1 });
  own.append(at, litellmEvent(1, model('old')));
  own.append(at + 2 * hour, litellmEvent(2, model('old')));
  own.journal.tidy(at + week + hour);
  own.append(at + week + hour, litellmEvent(3, model('new')));
  assert.deepEqual(models(own, at + week + hour + 5 * minute), { '(other)': 1 });
  own.journal.tidy(at + week + 3 * hour);
  own.append(at + week + 4 * hour, litellmEvent(4, model('new')));
  assert.deepEqual(models(own, at + week + 4 * hour + 5 * minute), { '(other)': 0, new: 1 });
});

test('a name of an undone post is not known', (t) => {
  const own = openUsageJournal(t, { by: ['model'], maxSeries: 1 });
  own.journal.run([
    () => {
      own.journal.append(Buffer.from(JSON.stringify([litellmEvent(1, model('undone'))])), at);
      throw new Error('the disk is full');
    },
  ]);
  own.append(at, litellmEvent(2, model('kept')));
  assert.deepEqual(models(own, at + 5 * minute), { kept: 1 });
});

test('a call whose post fails half-way does not count with the next one', (t) => {
  const own = openUsageJournal(t);
  const { record } = admitCall(litellmEvent(1, model('undone')), at);
  own.journal.run([
    () => {
      own.journal.usage?.add(record);
      throw new Error('the disk is full');
    },
  ]);
  own.append(at, litellmEvent(2, model('kept')));
  assert.deepEqual(models(own, at + 5 * minute), { kept: 1 });
});

test('long names that begin alike stay apart', (t) => {
  const own = openUsageJournal(t, { by: ['model'] });
  const long = 'x'.repeat(10_000);
  own.append(at, litellmEvent(1, model(`${long}a`)), litellmEvent(2, model(`${long}b`)));
  const names = Object.keys(models(own, at + 5 * minute));
  assert.equal(names.length, 2);
  assert.ok(names.every((name) => name.length < 200));
});

test('a key counts by its alias', (t) => {
  const own = openUsageJournal(t, { by: ['key'] });
  own.append(at, litellmEvent(1, { metadata: { user_api_key_alias: 'batch' } }), litellmEvent(2));
  const [first] = own.deliver(at + 5 * minute).reports[0]?.intervals ?? [];
  assert.deepEqual([...(first?.sums.keys() ?? [])], ['', 'key/batch', 'key/none']);
});
