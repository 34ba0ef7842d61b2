import type { UsageDay } from '../../call/usage-report.ts';

const dayMs = 86_400_000;
/** So far from a midnight no clock is put on or back for it. */
const farMs = 1.5 * dayMs;

/** Days of a time zone (an IANA name), by a moment of them in Unix milliseconds. */
export function localDays(timeZone: string): (at: number) => UsageDay {
  const clockAt = clockOf(timeZone);

  /** The first moment of the day that begins when the zone's clock shows `midnight`. */
  const beginningOf = (midnight: number): number => {
    const offsets = [-farMs, farMs].map((far) => clockAt(midnight + far) - (midnight + far));
    const first = midnight - Math.max(...offsets);
    // Where the clock is put on at midnight, or back to before it, this is too early.
    return clockAt(first) === midnight ? first : midnight - Math.min(...offsets);
  };

  let last: UsageDay | undefined;
  return (at) => {
    if (last !== undefined && at >= last.startsAt && at < last.endsAt) return last;
    const midnight = Math.floor(clockAt(at) / dayMs) * dayMs;
    last = {
      day: new Date(midnight).toISOString().slice(0, 10),
      startsAt: beginningOf(midnight),
      endsAt: beginningOf(midnight + dayMs),
    };
    return last;
  };
}

/** The zone's clock at a moment, as if it were UTC; to the second. */
function clockOf(timeZone: string): (at: number) => number {
  // The tables of all zones take 9 MB, which UTC can do without.
  if (timeZone === 'UTC') return (at) => Math.floor(at / 1000) * 1000;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    ...{ year: 'numeric', month: 'numeric', day: 'numeric' },
    ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
  });
  return (at) => {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const of = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
    return Date.UTC(
      ...([of('year'), of('month') - 1, of('day')] as const),
      ...([of('hour'), of('minute'), of('second')] as const),
    );
  };
}
