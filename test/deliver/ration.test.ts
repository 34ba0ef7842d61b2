import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fullJitter } from '../../src/deliver/backoff.ts';
import type { Clock } from '../../src/deliver/clock.ts';
import { createRation } from '../../src/deliver/ration.ts';

/** A clock that jumps to wherever somebody wants to sleep. */
function jumpingClock(): Clock & { jump(ms: number): void } {
  let now = 1_000_000;
  return {
    now: () => now,
    ticks: () => now,
    sleep: async (ms) => {
      now += ms;
    },
    jump: (ms) => {
      now += ms;
    },
  };
}

test('requests go out at the rate, after a burst of one second’s worth', async () => {
  const clock = jumpingClock();
  const ration = createRation(() => 10, clock);
  const start = clock.now();
  for (let request = 0; request < 110; request += 1) await ration.acquire();
  assert.ok(Math.abs(clock.now() - start - 10_000) <= 100, `${clock.now() - start} ms`);
});

test('without a rate nothing waits', async () => {
  const clock = jumpingClock();
  const ration = createRation(() => undefined, clock);
  const start = clock.now();
  for (let request = 0; request < 1000; request += 1) await ration.acquire();
  assert.equal(clock.now(), start);
  assert.equal(ration.rate(), undefined);
});

test('a throttled second costs a tenth of the rate, however many requests were refused in it', () => {
  const clock = jumpingClock();
  const ration = createRation(() => 100, clock);
  for (let refusal = 0; refusal < 5; refusal += 1) ration.throttled();
  assert.equal(ration.rate(), 90);
});

test('the rate creeps back when nothing is refused, and no further than it was', async () => {
  const clock = jumpingClock();
  const ration = createRation(() => 100, clock);
  ration.throttled();
  clock.jump(5_000);
  await ration.acquire();
  assert.equal(ration.rate(), 95);
  clock.jump(60_000);
  await ration.acquire();
  assert.equal(ration.rate(), 100);
});

test('refusals in every second take the rate down to a floor, never to nothing', () => {
  const clock = jumpingClock();
  const ration = createRation(() => 10, clock);
  for (let seconds = 0; seconds < 300; seconds += 1) {
    ration.throttled();
    clock.jump(1_000);
  }
  assert.ok(Number(ration.rate()) > 0 && Number(ration.rate()) < 1.1, String(ration.rate()));
});

test('waits double up to a bound and are spread over all of it', () => {
  const backoff = { first: 1_000, longest: 60_000 };
  assert.deepEqual(
    [0, 1, 2, 6, 50].map((attempts) => fullJitter(backoff, attempts, () => 0.999_999)),
    [1_000, 2_000, 4_000, 60_000, 60_000],
  );
  assert.equal(
    fullJitter(backoff, 3, () => 0),
    0,
  );
});
