import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createServerClock } from '../../src/aws/server-clock.ts';

const now = Date.UTC(2026, 10, 24, 12);
const seconds = 1_000;

function setUp() {
  let local = now;
  const clock = createServerClock(() => local);
  return {
    clock,
    learn: (time: number) => clock.learn(new Date(time).toUTCString()),
    advance: (ms: number) => {
      local += ms;
    },
  };
}

test('a clock that is right goes by this machine', () => {
  const { clock, learn } = setUp();
  learn(now + 59 * seconds);
  assert.deepEqual([clock.now(), clock.skew()], [now, 0]);
});

for (const skew of [3_600_000, -3_600_000, 61 * seconds]) {
  test(`a difference of ${skew / seconds} s is learned, and kept while time goes on`, () => {
    const { clock, learn, advance } = setUp();
    learn(now + skew);
    assert.equal(clock.skew(), skew);
    advance(90 * seconds);
    assert.equal(clock.now(), now + skew + 90 * seconds);
    learn(now + skew + 90 * seconds + 500);
    assert.equal(clock.skew(), skew, 'what differs by little teaches nothing');
  });
}

test('a machine that puts its clock right is followed', () => {
  const { clock, learn, advance } = setUp();
  learn(now + 3_600_000);
  advance(3_600_000);
  learn(now + 3_600_000);
  assert.deepEqual([clock.now(), clock.skew()], [now + 3_600_000, 0]);
});

test('a date that cannot be read teaches nothing', () => {
  const { clock } = setUp();
  for (const date of [undefined, '', 'yesterday']) clock.learn(date);
  assert.equal(clock.skew(), 0);
});
