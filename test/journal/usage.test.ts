import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { UsageRunState } from '../../src/call/usage-report.ts';
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

const day = 24 * hour;
const at = day0 + 10 * hour;
const model = (name: string) => ({ model_group: name });

test('calls count in the interval in which they came, by model, team and type of error', (t) => {
  const own = openUsageJournal(t);
  own.append(at, litellmEvent(1), litellmEvent(2, { cache_hit: true }), failedEvent(3));
  own.append(at + 6 * minute, litellmEvent(4, model('claude')));
  const { reports } = own.deliver(at + 11 * minute);
  const [first, second] = reports[0]?.intervals ?? [];
  assert.deepEqual(
    [...(first?.sums ?? [])].map(([series, { attempts, failures }]) => [
      series,
      attempts,
      failures,
    ]),
    [
      ['', 3, 1],
      ['errors/rate_limit', 1, 1],
      ['model/gpt-4o-mini', 3, 1],
      ['team/payments', 3, 1],
    ],
  );
  assert.deepEqual([first?.step, first?.endsAt], [120, at + 5 * minute]);
  assert.equal(first?.sums.get('')?.cacheHits, 1);
  assert.equal(second?.sums.get('model/claude')?.attempts, 1);
  assert.equal(second?.sums.get('model/gpt-4o-mini')?.attempts, 0, 'zero, once it was seen');
  assert.equal(first?.sums.has('model/claude'), false, 'and absent before');
  assert.deepEqual([first?.dayTotals.attempts, second?.dayTotals.attempts], [3, 4]);
});

test('latencies are those of successes that the cache did not answer', (t) => {
  const own = openUsageJournal(t);
  const start = at / 1000;
  const lasting = (number: number, seconds: number, changes = {}) => [
    litellmEvent(number, { startTime: start, endTime: start + seconds, ...changes }),
    failedEvent(number + 100, { startTime: start, endTime: start + 99 }),
    litellmEvent(number + 200, { startTime: start, endTime: start + 99, cache_hit: true }),
  ];
  const stream = { stream: true, completionStartTime: start + 0.5 };
  own.append(at, ...lasting(1, 1), ...lasting(2, 2), ...lasting(3, 6, stream));
  own.append(at, failedEvent(500, { model_group: 'gpt-4o-mini' }));
  const sums = own.deliver(at + 5 * minute).reports[0]?.intervals[0]?.sums;
  const { mean = 0, max, p50 = 0, p99 = 0, firstTokenP95 = 0 } = sums?.get('')?.latencies ?? {};
  assert.ok(Math.abs(mean - 3_000) < 0.01);
  assert.ok(Math.abs((max ?? 0) - 6_000) < 0.01);
  assert.ok(Math.abs(p50 - 2_000) <= 20 && p99 <= 6_000.01);
  assert.ok(Math.abs(firstTokenP95 - 500) <= 5.01);
  assert.equal(sums?.get('errors/rate_limit')?.latencies, undefined);
});

test('a success makes good the failure of the same call, within the hour', (t) => {
  const own = openUsageJournal(t);
  const same = (id: string) => ({ litellm_call_id: id });
  own.append(at, failedEvent(1, same('a')), failedEvent(2, same('b')), failedEvent(3, same('c')));
  own.append(at + 1, litellmEvent(4, same('a')));
  own.append(at + 2, litellmEvent(5, same('a')));
  own.reopen();
  own.append(at + 50 * minute, litellmEvent(6, same('b')));
  own.journal.tidy(at + hour + 1);
  own.append(at + hour + 2, litellmEvent(7, same('c')));
  const { reports } = own.deliver(at + 2 * hour);
  assert.equal(sumOver(reports, '').recovered, 2);
});

test('a call that comes late, or by a clock that was set back, counts in an interval that is open', (t) => {
  const own = openUsageJournal(t);
  own.append(at, litellmEvent(1));
  own.usage((usage) => usage.report(destination, at + 5 * minute, 0));
  own.append(at + 4 * minute, litellmEvent(2));
  own.reopen();
  own.append(at - 3 * hour, litellmEvent(3));
  const { intervals = [] } = own.deliver(at + 10 * minute).reports[0] ?? {};
  assert.deepEqual(
    intervals.map(({ sums }) => sums.get('')?.attempts),
    [1, 2],
  );
});

test('a call that comes after its day was told of as over counts in the next day', (t) => {
  const own = openUsageJournal(t);
  const midnight = day0 + day;
  own.append(midnight - minute, litellmEvent(1));
  assert.equal(own.deliver(midnight).reports[0]?.isLast, true);
  own.reopen();
  own.append(midnight - 1, litellmEvent(2));
  const [report] = own.deliver(midnight + 5 * minute).reports;
  assert.equal(report?.day, '2026-11-25');
  assert.equal(report?.intervals[0]?.endsAt, midnight + 5 * minute);
});

test('a report that was undone and made again closes its intervals like any other', (t) => {
  const own = openUsageJournal(t);
  own.append(at, litellmEvent(1));
  own.journal.run([
    () => {
      own.journal.usage?.report(destination, at + 5 * minute, 0);
      throw new Error('the disk is full');
    },
  ]);
  own.usage((usage) => usage.report(destination, at + 5 * minute, 0));
  own.reopen();
  own.append(at + 4 * minute, litellmEvent(2));
  const { intervals = [] } = own.deliver(at + 10 * minute).reports[0] ?? {};
  assert.deepEqual(
    intervals.map(({ sums }) => sums.get('')?.attempts),
    [1, 1],
  );
});

test('a call of a clock that was set back by days counts in the first day that is open', (t) => {
  const own = openUsageJournal(t);
  for (const days of [0, 1, 2]) own.append(at + days * day, litellmEvent(days));
  own.deliver(at + 2 * day + hour);
  own.append(at, litellmEvent(3));
  const [report] = own.deliver(at + 2 * day + 2 * hour).reports;
  assert.equal(report?.day, '2026-11-26');
  assert.equal(report?.intervals[0]?.sums.get('')?.attempts, 1);
});

test('a clock that was far ahead for a while costs nothing, and stops nothing', (t) => {
  const own = openUsageJournal(t);
  own.append(at, litellmEvent(1));
  own.append(at + 70 * 365 * day, litellmEvent(2));
  own.deliver(at + 70 * 365 * day + minute);
  own.append(at + hour, litellmEvent(3));
  own.append(at + day, litellmEvent(4));
  const { reports } = own.deliver(at + 2 * day);
  const of = (name: string) => reports.filter((report) => report.day === name);
  assert.deepEqual([...new Set(reports.map((report) => report.day))], ['2026-11-25', '2096-11-06']);
  assert.equal(sumOver(of('2026-11-25'), '').attempts, 2);
  assert.equal(sumOver(of('2096-11-06'), '').attempts, 1);
});

test('many intervals are told of a part at a time, and a day ends with its last call', (t) => {
  const own = openUsageJournal(t);
  own.append(at, litellmEvent(1));
  own.append(at + 3 * hour, litellmEvent(2));
  const { reports } = own.deliver(day0 + day + hour);
  assert.deepEqual(
    reports.map(({ intervals, isLast }) => [intervals.length, isLast]),
    [
      [24, false],
      [13, true],
    ],
  );
});

test('days are told of one after another, and one can be passed over', (t) => {
  const own = openUsageJournal(t);
  for (const days of [0, 1, 2]) own.append(at + days * day, litellmEvent(days));
  const now = at + 2 * day + hour;
  const report = (from: number) => own.usage((usage) => usage.report(destination, now, from));
  assert.equal(report(0)?.day, '2026-11-24');
  assert.equal(report(day0 + day)?.day, '2026-11-25');
  assert.equal(report(day0 + 2 * day)?.day, '2026-11-26');
  assert.equal(report(day0 + 3 * day), undefined);
});

test('another destination is sent the day anew', (t) => {
  const own = openUsageJournal(t);
  own.append(at, litellmEvent(1));
  own.append(at + 5 * minute, litellmEvent(2));
  own.deliver(at + 10 * minute);
  const { reports, totals } = own.deliver(at + 10 * minute, 'http://other.test');
  assert.equal(reports[0]?.run.runId, undefined);
  assert.equal(reports[0]?.intervals.length, 2);
  assert.deepEqual(
    totals.map(({ series, run }) => [series, run.runId]),
    [
      ['model/gpt-4o-mini', undefined],
      ['team/payments', undefined],
    ],
  );
});

test('where intervals become longer or shorter, none is told of twice and none is left out', (t) => {
  const own = openUsageJournal(t);
  own.append(at + 26 * minute, litellmEvent(1));
  own.deliver(at + 31 * minute);
  own.reopen({ intervalMs: hour });
  own.append(at + 40 * minute, litellmEvent(2));
  own.append(at + 70 * minute, litellmEvent(3));
  own.reopen({ intervalMs: minute });
  own.append(at + 90 * minute, litellmEvent(4));
  const { reports } = own.deliver(at + 2 * hour);
  assert.equal(sumOver(reports, '').attempts, 3);
  assert.equal(reports[0]?.intervals[0]?.endsAt, at + 31 * minute);
});

test('the runs of series are due each hour when something came, and when the day is over', (t) => {
  const own = openUsageJournal(t, { by: ['model'] });
  own.append(at, litellmEvent(1));
  const due = (now: number) =>
    own.deliver(now).totals.map(({ sums, isLast }) => [sums.attempts, isLast]);
  assert.deepEqual(due(at + 5 * minute), [[1, false]]);
  own.append(at + 6 * minute, litellmEvent(2));
  assert.deepEqual(due(at + hour), []);
  assert.deepEqual(due(at + hour + 5 * minute), [[2, false]]);
  assert.deepEqual(due(at + 4 * hour), []);
  assert.deepEqual(due(day0 + day), [[2, true]]);
  assert.deepEqual(due(day0 + 2 * day), []);
});

test('a day that has been told of is forgotten', (t) => {
  const own = openUsageJournal(t);
  own.append(at, litellmEvent(1));
  own.append(at + day, litellmEvent(2));
  own.deliver(at + day + minute);
  own.reopenAfter((folder) => {
    const database = new DatabaseSync(join(folder, 'journal.db'));
    const days = database.prepare('SELECT DISTINCT began_at / ? AS day FROM usage').all(day);
    assert.deepEqual(
      days.map((row) => Math.floor(Number(row['day']))),
      [(day0 + day) / day],
    );
    assert.deepEqual(database.prepare('SELECT day FROM usage_runs').all(), []);
    database.close();
  });
});

test('a day whose totals nobody takes is forgotten a week after its end', (t) => {
  const own = openUsageJournal(t, { by: ['model'] });
  own.append(at, litellmEvent(1));
  const run = { day: '2026-11-24', series: '', destination };
  own.usage((usage) => usage.keepRun(run, { runId: 'run' }));
  own.usage((usage) => usage.report(destination, day0 + day, 0));
  own.usage((usage) => usage.sent(run, { until: day0 + day, ended: true }));
  const totals = (now: number) => own.usage((usage) => usage.totals(destination, now));
  const tried = (now: number) => {
    const series = totals(now)?.series ?? '';
    own.usage((usage) => usage.sent({ ...run, series }, { until: now, ended: false }));
    return series;
  };
  assert.equal(tried(day0 + day), 'model/gpt-4o-mini');
  assert.equal(totals(day0 + day + minute), undefined);
  assert.equal(tried(day0 + 9 * day), 'model/gpt-4o-mini');
  assert.equal(totals(day0 + 9 * day + minute), undefined);
  assert.equal(totals(day0 + 10 * day), undefined, 'it is not known any more');
});

test("a day's runs know the experiment in which the day was begun, at that destination, until it is begun anew", (t) => {
  const own = openUsageJournal(t, { by: ['model'] });
  own.append(at, litellmEvent(1));
  const ofDay = { day: '2026-11-24', series: '', destination };
  const ofSeries = { ...ofDay, series: 'model/gpt-4o-mini' };
  const experiments = (to = destination): unknown[] => {
    const now = at + 2 * hour;
    const report = own.usage((usage) => usage.report(to, now, 0));
    const totals = own.usage((usage) => usage.totals(to, now));
    return [report?.run, totals?.run].map((run) => run && (run.experiment ?? false));
  };
  const begun: UsageRunState = { begunAt: at, experiment: '/a/usage' };
  own.usage((usage) => usage.keepRun(ofDay, begun));
  assert.deepEqual(experiments(), ['/a/usage', undefined], 'there is no parent yet');
  const made: UsageRunState = { runId: 'run', experiment: '/a/usage' };
  own.usage((usage) => usage.keepRun(ofDay, made));
  own.usage((usage) => usage.keepRun(ofSeries, {}));
  own.reopen();
  assert.deepEqual(experiments(), ['/a/usage', '/a/usage']);
  assert.deepEqual(experiments('http://other.test'), [false, undefined]);
  own.usage((usage) => usage.keepRun(ofDay, {}));
  assert.deepEqual(experiments(), [false, undefined]);
});
