import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createIntervals } from '../../src/journal/usage/intervals.ts';
import { localDays } from '../../src/journal/usage/local-day.ts';

const minute = 60_000;
const hour = 60 * minute;

function dayIn(timeZone: string, at: string) {
  const { day, startsAt, endsAt } = localDays(timeZone)(Date.parse(at));
  return [day, new Date(startsAt).toISOString(), (endsAt - startsAt) / hour];
}

for (const [what, timeZone, at, expected] of [
  ['a day in UTC', 'UTC', '2026-11-24T23:59:59Z', ['2026-11-24', '2026-11-24T00:00:00.000Z', 24]],
  [
    'Berlin in winter',
    'Europe/Berlin',
    '2026-11-24T23:30Z',
    ['2026-11-25', '2026-11-24T23:00:00.000Z', 24],
  ],
  [
    'Berlin, clocks put on',
    'Europe/Berlin',
    '2027-03-28T12:00Z',
    ['2027-03-28', '2027-03-27T23:00:00.000Z', 23],
  ],
  [
    'Berlin, clocks put back',
    'Europe/Berlin',
    '2026-10-25T12:00Z',
    ['2026-10-25', '2026-10-24T22:00:00.000Z', 25],
  ],
  [
    'India, half an hour off',
    'Asia/Kolkata',
    '2026-11-24T18:29:59Z',
    ['2026-11-24', '2026-11-23T18:30:00.000Z', 24],
  ],
  [
    'Nepal, three quarters off',
    'Asia/Kathmandu',
    '2026-11-24T18:15Z',
    ['2026-11-25', '2026-11-24T18:15:00.000Z', 24],
  ],
  [
    'half an hour put on',
    'Australia/Lord_Howe',
    '2026-10-04T00:00Z',
    ['2026-10-04', '2026-10-03T13:30:00.000Z', 23.5],
  ],
  [
    'Cairo, put on at midnight',
    'Africa/Cairo',
    '2026-04-24T12:00Z',
    ['2026-04-24', '2026-04-23T22:00:00.000Z', 23],
  ],
  [
    'Cairo, put back to before it',
    'Africa/Cairo',
    '2026-10-29T12:00Z',
    ['2026-10-29', '2026-10-28T21:00:00.000Z', 25],
  ],
  [
    'the Azores, put on at midnight',
    'Atlantic/Azores',
    '2027-03-28T12:00Z',
    ['2027-03-28', '2027-03-28T01:00:00.000Z', 23],
  ],
  [
    'Havana, midnight twice',
    'America/Havana',
    '2026-11-01T12:00Z',
    ['2026-11-01', '2026-11-01T04:00:00.000Z', 25],
  ],
] as const) {
  test(`a day is as long as its zone's clock says: ${what}`, () => {
    assert.deepEqual(dayIn(timeZone, at), expected);
  });
}

for (const [at, hours, steps, lastMinutes] of [
  ['2026-11-25T12:00Z', 24, 206, 5],
  ['2027-03-28T12:00Z', 23, 198, 1],
  ['2026-10-25T12:00Z', 25, 215, 2],
] as const) {
  test(`a day of ${hours} hours has ${steps} intervals of seven minutes, and the last one is what is left`, () => {
    const { dayOf, endOf, stepOf } = createIntervals('Europe/Berlin', 7 * minute);
    const { startsAt, endsAt } = dayOf(Date.parse(at));
    assert.equal(endsAt - startsAt, hours * hour);
    const ends: number[] = [];
    for (let begins = startsAt; begins < endsAt; begins = endOf(begins)) {
      assert.equal(stepOf(begins), ends.length);
      ends.push(endOf(begins));
    }
    assert.equal(ends.length, steps);
    assert.equal(ends.at(-1), endsAt);
    assert.equal((endsAt - (ends.at(-2) ?? 0)) / minute, lastMinutes);
  });
}

const zones = Intl.supportedValuesOf('timeZone');

test('in every zone days follow on each other, and intervals fill them', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2032, 0) }),
      fc.integer({ min: 1, max: 60 }),
      (timeZone, at, minutes) => {
        const { dayOf, beginningOf, endOf, stepOf } = createIntervals(timeZone, minutes * minute);
        const { day, startsAt, endsAt } = dayOf(at);
        const clock = new Intl.DateTimeFormat('en-CA', { timeZone }).format(at);
        assert.equal(day, clock);
        assert.ok(startsAt <= at && at < endsAt, 'it holds the moment');
        assert.ok(endsAt - startsAt >= 22 * hour && endsAt - startsAt <= 26 * hour);
        const after = dayOf(endsAt);
        assert.equal(after.startsAt, endsAt);
        assert.ok(after.day > day);
        assert.deepEqual(dayOf(startsAt), dayOf(at));

        assert.ok(beginningOf(at) <= at && at < endOf(at));
        assert.equal(endOf(endsAt - 1), endsAt, 'the last one ends with the day');
        assert.equal(beginningOf(endOf(at)), endOf(at), 'the next one begins where it ends');
        assert.equal(beginningOf(at), startsAt + stepOf(at) * minutes * minute);
        const lasts = endOf(at) - beginningOf(at);
        assert.ok(lasts === minutes * minute || (endOf(at) === endsAt && lasts < minutes * minute));
      },
    ),
    { numRuns: 500 },
  );
});
