import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  addCalls,
  binOf,
  binsIn,
  quantileOf,
  textOfBins,
} from '../../src/journal/usage/latency-bins.ts';

const latencies = fc.array(
  fc.double({ min: 0, max: 10, noNaN: true }).map((power) => 0.001 * 10 ** power),
  { minLength: 1, maxLength: 500 },
);
const quantiles = [0, 0.5, 0.95, 0.99, 1];

function binsOf(all: readonly number[]) {
  const bins = new Map<number, number>();
  for (const ms of all) addCalls(bins, binOf(ms), 1);
  return bins;
}

/** The lower of the two neighbours where the rank lies between. */
function exactly(all: readonly number[], quantile: number): number {
  const sorted = [...all].sort((one, other) => one - other);
  return sorted[Math.floor(quantile * (sorted.length - 1))] ?? Number.NaN;
}

test('a quantile is within one percent of the exact one, from a microsecond to months', () => {
  fc.assert(
    fc.property(latencies, (all) => {
      for (const quantile of quantiles) {
        const exact = exactly(all, quantile);
        const read = quantileOf(binsOf(all), quantile) ?? Number.NaN;
        assert.ok(
          Math.abs(read - exact) <= 0.010_001 * exact,
          `${quantile}: ${read}, not ${exact}`,
        );
      }
    }),
  );
});

test('bins that are kept, read and added up are those of all calls together', () => {
  fc.assert(
    fc.property(latencies, latencies, (some, others) => {
      const bins = binsIn(textOfBins(binsOf(some)));
      for (const [bin, calls] of binsIn(textOfBins(binsOf(others)))) addCalls(bins, bin, calls);
      const all = binsOf([...some, ...others]);
      for (const quantile of quantiles) {
        assert.equal(quantileOf(bins, quantile), quantileOf(all, quantile));
      }
    }),
  );
});

test('no latencies have no quantile, and what took no time has the smallest', () => {
  assert.equal(quantileOf(new Map(), 0.5), undefined);
  assert.ok((quantileOf(binsOf([0]), 0.5) ?? 1) <= 0.001);
});

test('of a damaged text the bins are kept that can be read', () => {
  assert.deepEqual(
    binsIn('3:1 x:2 4: 5 6:-1 7:2'),
    new Map([
      [3, 1],
      [7, 2],
    ]),
  );
  assert.deepEqual(binsIn(''), new Map());
});
