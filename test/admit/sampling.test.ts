import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSampling, type Load } from '../../src/admit/sampling.ts';
import { createRandom } from '../support/random.ts';

const start = 1_800_000_000_000;
const second = 1_000;
const hour = 3_600_000;
const day = 24 * hour;
const halfAnHour = hour / 2;
const idle: Load = { pendingRuns: 0, runsPerSecond: 5 };

/**
 * Lets calls come at an even pace, and chance choose; answers how many were chosen, and how many all of
 * them seem to be by the rates at which those were chosen, with the variance of that.
 */
function flow(
  sampling: ReturnType<typeof createSampling>,
  options: { from: number; forMs: number; perSecond: number; load?: () => Load; seed?: number },
) {
  const { from, forMs, perSecond, load = () => idle, seed = 1 } = options;
  const random = createRandom(seed);
  let chosen = 0;
  let estimate = 0;
  let variance = 0;
  for (let at = from; at < from + forMs; at += second / perSecond) {
    const rate = sampling.rate(at, load());
    const isChosen = random.next() < rate;
    sampling.passed(at, isChosen);
    variance += (1 - rate) / rate;
    if (isChosen) {
      chosen += 1;
      estimate += 1 / rate;
    }
  }
  return { chosen, estimate, variance };
}

const plenty = { maxRunsPerDay: 1_000_000, maxDrainMs: halfAnHour };

test('as long as everything fits, every call is chosen', () => {
  const sampling = createSampling({ ...plenty, maxRunsPerDay: 20_000 }, start);
  assert.equal(sampling.rate(start, idle), 1);
  assert.equal(flow(sampling, { from: start, forMs: 10 * second, perSecond: 50 }).chosen, 500);
  assert.equal(sampling.rate(start + 10 * second, { ...idle, pendingRuns: 500 }), 1);
});

test('an hour without MLflow at a call a second costs no call its run', () => {
  const sampling = createSampling(plenty, start);
  flow(sampling, { from: start, forMs: hour, perSecond: 1 });
  assert.equal(sampling.rate(start + hour, { ...idle, pendingRuns: 3_600 }), 1);
});

test('where it is not known what MLflow takes, nothing is held back', () => {
  assert.equal(createSampling(plenty, start).rate(start, { pendingRuns: 1e6 }), 1);
});

test('what waits for a run stays within the longest drain, and the sums can be estimated', () => {
  const sampling = createSampling({ ...plenty, maxDrainMs: 60 * second }, start);
  let pendingRuns = 0;
  let sentUntil = start;
  let most = 0;
  const random = createRandom(7);
  let estimate = 0;
  let variance = 0;
  const perSecond = 200;
  const calls = perSecond * 600;
  for (let call = 0; call < calls; call += 1) {
    const at = start + (call * second) / perSecond;
    const sent = Math.floor(((at - sentUntil) * 5) / second);
    pendingRuns = Math.max(0, pendingRuns - sent);
    sentUntil += (sent * second) / 5;
    const rate = sampling.rate(at, { ...idle, pendingRuns });
    const isChosen = random.next() < rate;
    sampling.passed(at, isChosen);
    variance += (1 - rate) / rate;
    if (!isChosen) continue;
    pendingRuns += 1;
    estimate += 1 / rate;
    most = Math.max(most, pendingRuns);
  }
  assert.ok(most <= 5 * 60 * 1.2, `${most} waited`);
  assert.ok(most >= 5 * 30, `${most} waited: more would have fitted`);
  assert.ok(Math.abs(estimate - calls) <= 4 * Math.sqrt(variance), `${estimate} of ${calls}`);
});

/** Calls a second over a week: with ECONOMY_LONG as many as a large team makes. */
const perSecond = process.env['ECONOMY_LONG'] === undefined ? 2 : 35;

test('a day has the runs that it may have, a burst what earlier ones left', (t) => {
  const sampling = createSampling({ ...plenty, maxRunsPerDay: 20_000 }, start);
  const flows = Array.from({ length: 7 }, (_, number) =>
    flow(sampling, { from: start + number * day, forMs: day, perSecond, seed: number }),
  );
  const days = flows.map(({ chosen }) => chosen);
  t.diagnostic(`of ${perSecond * 86_400} calls a day ${days} were chosen`);
  for (const { estimate, variance } of flows) {
    const calls = perSecond * 86_400;
    assert.ok(Math.abs(estimate - calls) <= 4 * Math.sqrt(variance), `${estimate} of ${calls}`);
  }
  const [first = 0, ...others] = days;
  assert.ok(first > 20_000 && first <= 41_000, `${first} on the first day`);
  for (const chosen of others.slice(1)) assert.ok(Math.abs(chosen - 20_000) <= 1_000, `${days}`);
  flow(sampling, { from: start + 9 * day, forMs: second, perSecond: 1 });
  const burst = flow(sampling, { from: start + 9 * day, forMs: 100 * second, perSecond: 50 });
  assert.equal(burst.chosen, 5_000);
});

test('the sample is even over a day, once the bucket is used up', () => {
  const sampling = createSampling({ ...plenty, maxRunsPerDay: 20_000 }, start);
  flow(sampling, { from: start, forMs: 2 * day, perSecond: 2 });
  const hours = Array.from(
    { length: 24 },
    (_, number) =>
      flow(sampling, {
        ...{ from: start + 2 * day + number * hour, forMs: hour, perSecond: 2 },
        seed: 100 + number,
      }).chosen,
  );
  const expected = hours.reduce((sum, chosen) => sum + chosen, 0) / 24;
  const chiSquare = hours.reduce((sum, chosen) => sum + (chosen - expected) ** 2 / expected, 0);
  // 23 degrees of freedom: beyond 49.7 with a probability of 0.001.
  assert.ok(chiSquare < 49.7, `${chiSquare}: ${hours}`);
});

test('runs that are made in any case are paid for by the sample', () => {
  const sampling = createSampling({ ...plenty, maxRunsPerDay: 86_400 }, start, {
    ...{ runs: 0, at: start },
  });
  const rates: number[] = [];
  for (let at = start; at < start + 600 * second; at += second / 2) {
    sampling.ran(at);
    sampling.passed(at, false);
    rates.push(sampling.rate(at, idle));
  }
  // A run a second comes in, two are spent: a tenth of what comes in is left for chance.
  assert.ok(Math.abs((rates.at(-1) ?? 0) - 0.05) < 0.01, `${rates.at(-1)}`);
});

test('no rate is 0, however far behind it is', () => {
  const sampling = createSampling({ ...plenty, maxDrainMs: second }, start, {
    runs: -1e9,
    at: start,
  });
  flow(sampling, { from: start, forMs: 60 * second, perSecond: 1_000 });
  const rate = sampling.rate(start + 60 * second, {
    ...idle,
    pendingRuns: 1e9,
    runsPerSecond: 0.001,
  });
  assert.equal(rate, 0.001);
});

test('a restart knows what was left of the day', () => {
  const before = createSampling({ ...plenty, maxRunsPerDay: 1_000 }, start);
  flow(before, { from: start, forMs: 900 * second, perSecond: 1 });
  const left = before.runsLeft(start + 900 * second);
  const after = createSampling({ ...plenty, maxRunsPerDay: 1_000 }, start + 900 * second, left);
  assert.deepEqual(after.runsLeft(start + 900 * second), left);
  flow(after, { from: start + 900 * second, forMs: 10 * second, perSecond: 1 });
  assert.ok(after.rate(start + 910 * second, idle) < 0.5);
});

test('where calls are few, too, no more runs are made over time than the days may have', () => {
  const random = createRandom(11);
  const cap = 200;
  const sampling = createSampling({ maxRunsPerDay: cap, maxDrainMs: 1_800_000 }, start);
  let runs = 0;
  const days = 30;
  for (let at = 0; at < days * day; at += 10 * second) {
    const now = start + at;
    const isChosen = random.next() < sampling.rate(now, idle);
    sampling.passed(now, isChosen);
    if (isChosen && at >= 10 * day) runs += 1;
  }
  const due = (days - 10) * cap;
  assert.ok(Math.abs(runs - due) < 0.03 * due, `${runs} instead of ${due}`);
});
