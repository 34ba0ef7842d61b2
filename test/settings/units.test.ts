import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duration, size } from '../../src/settings/units.ts';

const durations = [
  ['0s', 0],
  ['500ms', 500],
  ['1.5s', 1500],
  ['2m', 120_000],
  ['1h', 3_600_000],
  ['30d', 2_592_000_000],
] as const;

for (const [written, ms] of durations) {
  test(`the duration ${written} is ${ms} ms`, () => {
    assert.equal(duration('0s', '30d').parse(written), ms);
  });
}

const sizes = [
  ['1024B', 1024],
  ['1kB', 1000],
  ['1KiB', 1024],
  ['1.5MiB', 1_572_864],
  ['10GB', 10_000_000_000],
  ['1TiB', 1_099_511_627_776],
] as const;

for (const [written, bytes] of sizes) {
  test(`the size ${written} is ${bytes} bytes`, () => {
    assert.equal(size('0B', '64TiB').parse(written), bytes);
  });
}

test('an amount beyond its bounds is refused, the bounds themselves are not', () => {
  const short = duration('1s', '1m');
  assert.ok(short.safeParse('1s').success && short.safeParse('60s').success);
  for (const written of ['999ms', '61s', '2h'])
    assert.ok(!short.safeParse(written).success, written);
});

for (const written of ['', '5', '5 s', '-5s', '5x', '1e3s', 's', '5S', 5, null, '5s ', '1.s']) {
  test(`${JSON.stringify(written)} is no duration, and the message says what one is`, () => {
    const parsed = duration('0s', '1h').safeParse(written);
    assert.ok(!parsed.success);
    for (const issue of parsed.error.issues)
      assert.match(issue.message, /a duration from 0s to 1h/);
  });
}

for (const written of ['', '5', '5 MB', '5Mb', '5mb', '-1MB', '5MiBs', 5]) {
  test(`${JSON.stringify(written)} is no size, and the message says what one is`, () => {
    const parsed = size('0B', '1GiB').safeParse(written);
    assert.ok(!parsed.success);
    for (const issue of parsed.error.issues) assert.match(issue.message, /a size from 0B to 1GiB/);
  });
}
