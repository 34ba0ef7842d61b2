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

test('the rate comes back near where it was refused, stays there a while, and goes no further than it was', async () => {
  const clock = jumpingClock();
  const ration = createRation(() => 100, clock);
  ration.throttled();
  assert.equal(ration.rate(), 90);
  const rateAfter = async (seconds: number) => {
    clock.jump(seconds * 1_000);
    await ration.acquire();
    return Math.round(Number(ration.rate()));
  };
  assert.deepEqual(
    [await rateAfter(5), await rateAfter(10), await rateAfter(5), await rateAfter(60)],
    [96, 100, 100, 100],
  );
  // Halved by and by, it keeps to where it was refused last before it tries for more.
  for (let refusal = 0; refusal < 7; refusal += 1) {
    ration.throttled();
    clock.jump(1_000);
  }
  assert.equal(Math.round(Number(ration.rate())), 48);
  assert.equal(await rateAfter(14), 53);
  assert.equal(await rateAfter(1), 53);
  assert.equal(await rateAfter(60), 100);
});

/** A server that bears `cap` requests a second, and twice as many at once. */
function cappedServer(clock: Clock, cap: number) {
  let tokens = 2 * cap;
  let filledAt = clock.now();
  return {
    takes: (): boolean => {
      tokens = Math.min(2 * cap, tokens + ((clock.now() - filledAt) / 1_000) * cap);
      filledAt = clock.now();
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}

// Growth is a matter of seconds: the fewer requests there are in them, the more of those are refused.
for (const [what, cap, bears, mostRefused] of [
  ['more than the ration', 25, 15, 0],
  ['a little less than the ration', 12.5, 12.5, 0.01],
  ['a fifth of the ration', 3, 3, 0.04],
] as const) {
  test(`of a server that bears ${what}, all is used, and hardly anything is refused`, async () => {
    const clock = jumpingClock();
    const ration = createRation(() => 15, clock);
    const server = cappedServer(clock, cap);
    const sendFor = async (seconds: number) => {
      const counts = { sent: 0, refused: 0 };
      const end = clock.now() + seconds * 1_000;
      while (clock.now() < end) {
        await ration.acquire();
        counts.sent += 1;
        if (server.takes()) continue;
        counts.refused += 1;
        ration.throttled();
      }
      return counts;
    };
    // It finds its rate once what the server bears at once is used up.
    await sendFor(60);
    const { sent, refused } = await sendFor(600);
    assert.ok(refused <= sent * mostRefused, `${refused} of ${sent} were refused`);
    const share = (sent - refused) / (600 * bears);
    assert.ok(share > 0.95 && share <= 1.01, `${share} of what it bears was used`);
  });
}

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
