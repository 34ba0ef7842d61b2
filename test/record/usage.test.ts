import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UsageInterval, UsageSums } from '../../src/call/usage-report.ts';
import {
  planDayRun,
  planSeriesRun,
  pointsOf,
  totalsPoints,
  usageExperiment,
} from '../../src/record/usage/plan-usage.ts';
import { metricPrefix } from '../../src/record/usage/series-name.ts';
import { dayMetrics, usageMetrics } from '../../src/record/usage/usage-metrics.ts';
import { day0, hour } from '../support/usage-journal.ts';

const none: UsageSums = {
  ...{ attempts: 0, failures: 0, recovered: 0, cacheHits: 0, promptTokens: 0, completionTokens: 0 },
  ...{ totalTokens: 0, cacheReadTokens: 0, costUsd: 0, savedUsd: 0, unpriced: 0 },
};
const some: UsageSums = {
  ...none,
  ...{ attempts: 10, failures: 4, recovered: 2, cacheHits: 2, promptTokens: 100, costUsd: 0.25 },
  latencies: { mean: 50, max: 90, p50: 45, p95: 80, p99: 89 },
};
const day = { day: '2026-11-24', startsAt: day0, endsAt: day0 + 24 * hour };
const totals = { ...day, run: {}, parentRunId: 'parent', sums: some, isLast: false };

function interval(sums: [string, UsageSums][]): UsageInterval {
  return { step: 121, endsAt: day0 + 610 * 60_000, sums: new Map(sums), dayTotals: some };
}

function valuesOf(points: ReturnType<typeof pointsOf>): Record<string, number> {
  return Object.fromEntries(points.map(({ name, value }) => [name, value]));
}

test('an interval has the counts, rates and latencies of all calls, and the day so far', () => {
  const points = pointsOf(interval([['', some]]));
  const values = valuesOf(points);
  assert.equal(values['requests'], 8, 'attempts less those that were made good');
  assert.equal(values['failures'], 4);
  assert.equal(values['error_rate'], 0.25, 'two of eight failed for good');
  assert.equal(values['cache_hit_rate'], 0.25);
  assert.equal(values['cost_usd'], 0.25);
  assert.equal(values['latency_ms_p95'], 80);
  assert.equal('time_to_first_token_ms_p95' in values, false, 'there was no stream');
  assert.equal(values['day/requests'], 8);
  assert.ok(points.every(({ timestamp }) => timestamp === day0 + 610 * 60_000));
  assert.ok(points.every(({ step }) => step === 121));
});

test('of an interval without calls counts are zero, and rates and latencies absent', () => {
  const values = valuesOf(pointsOf(interval([['', none]])));
  assert.equal(values['requests'], 0);
  assert.equal(values['cost_usd'], 0);
  assert.deepEqual(
    Object.keys(values).filter((name) => !name.startsWith('day/') && /rate|_ms/.test(name)),
    [],
  );
});

test('rates stay between none and all, though a failure and its success lie in two intervals', () => {
  const success = valuesOf(pointsOf(interval([['', { ...none, attempts: 2, recovered: 2 }]])));
  assert.deepEqual([success['requests'], success['error_rate']], [0, undefined]);
  const later = valuesOf(pointsOf(interval([['', { ...none, attempts: 3, recovered: 2 }]])));
  assert.equal(later['error_rate'], 0);
});

test('a day is told in what adds up', () => {
  assert.deepEqual(
    dayMetrics.map(({ name }) => name).filter((name) => /rate|_ms/.test(name)),
    [],
  );
  assert.ok(dayMetrics.length > 8);
});

test('models, teams and keys have names of their own, errors one number by type', () => {
  const names = Object.keys(
    valuesOf(
      pointsOf(
        interval([
          ['model/azure/gpt-4o', some],
          ['errors/timeout', some],
        ]),
      ),
    ),
  );
  assert.ok(names.includes('model/azure/gpt-4o/cost_usd'));
  assert.deepEqual(
    names.filter((name) => name.startsWith('errors/')),
    ['errors/timeout'],
  );
});

test('names that MLflow would make the same stay apart, and others are left as they are', () => {
  assert.equal(metricPrefix('model/gpt-4o: mini v1.5'), 'model/gpt-4o: mini v1.5');
  assert.equal(metricPrefix('model/(other)'), 'model/_other_');
  const alike = [
    'team/支付',
    'team/订单',
    'team/a/../b',
    'team/b',
    'team/a@b',
    'team/a_b',
    'team//b',
    'team/..',
  ];
  const prefixes = alike.map(metricPrefix);
  assert.equal(new Set(prefixes).size, alike.length);
  assert.ok(prefixes.every((prefix) => /^team\/[\w.\- :/]+$/.test(prefix)));
  assert.equal(metricPrefix('team/支付'), prefixes[0], 'and the same each time');
});

test('the run of a day is found by day and journal, that of a series by its name, too', () => {
  const parent = planDayRun(day, 'j');
  assert.equal(parent.recordId, 'usage-2026-11-24-j');
  assert.equal(parent.startTime, day0);
  assert.equal(parent.tags.get('sidecar.record_id'), parent.recordId);
  assert.equal(parent.tags.get('sidecar.record'), 'usage');
  const series = ["team/it's", 'team/its'].map((name) =>
    planSeriesRun({ ...totals, series: name }, 'j'),
  );
  assert.notEqual(series[0]?.recordId, series[1]?.recordId);
  assert.match(series[0]?.recordId ?? '', /^usage-2026-11-24-j-[0-9a-f]{8}$/);
  assert.equal(series[0]?.name, "team it's");
  assert.equal(series[0]?.tags.get('usage.team'), "it's");
  assert.equal(series[0]?.tags.get('mlflow.parentRunId'), 'parent');
});

test('the run of a series holds the totals of the day', () => {
  const points = totalsPoints({ ...totals, series: 'team/a' }, day0 + 90 * 60_000);
  assert.deepEqual(points[0], {
    name: 'requests',
    value: 8,
    timestamp: day0 + 90 * 60_000,
    step: 90,
  });
  assert.ok(points.some(({ name }) => name === 'latency_ms_p99'));
});

test('a note explains every metric, and says whose estimate the cost is', () => {
  const notes = [planDayRun(day, 'j'), planSeriesRun({ ...totals, series: 'team/a' }, 'j')].map(
    ({ tags }) => tags.get('mlflow.note.content') ?? '',
  );
  for (const note of notes) {
    for (const { name } of usageMetrics) assert.ok(note.includes(`\`${name}\``), name);
    assert.match(note, /cost_usd.*LiteLLM estimates/);
    assert.ok(note.length < 5_000, 'as much as a tag takes');
  }
  assert.match(notes[0] ?? '', /without a prefix: all calls.*`day\/`.*`errors\/`/s);
  assert.ok(
    notes.every((note) => /estimates/.test(note.slice(0, 100))),
    'where MLflow shows it at once',
  );
});

for (const [template, name] of [
  ['/litellm-monitoring', '/litellm-monitoring/usage'],
  ['/litellm/{team_alias}', '/litellm/usage'],
  ['/litellm/calls-{date:YYYY-MM}/{team_id}', '/litellm/calls-/usage'],
  ['{model_group}', 'usage'],
  ['/{model_group}', '/usage'],
  ['/team (prod)', '/team (prod)/usage'],
  ['llm_', 'llm_/usage'],
  ['LLM ', 'LLM/usage'],
] as const) {
  test(`the usage of ${template} is in ${name}`, () => {
    assert.equal(usageExperiment(template), name);
  });
}

test('the name of the experiment has at most the 256 characters that PostgreSQL keeps', () => {
  assert.equal(usageExperiment(`/${'x'.repeat(499)}`).length, 256);
});
