/** A day of a time zone. */
export interface LocalDay {
  /** `2026-11-24` */
  day: string;
  /** Its first moment and that of the next day, in Unix milliseconds: 23 to 25 hours apart. */
  startsAt: number;
  endsAt: number;
}

/** Days of a time zone (an IANA name), by a moment of them in Unix milliseconds. */
export function localDays(timeZone: string): (at: number) => LocalDay {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    ...{ year: 'numeric', month: 'numeric', day: 'numeric' },
    ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
  });

  /** The zone's clock at a moment, as if it were UTC. */
  const clockAt = (at: number): number => {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const of = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
    return Date.UTC(
      ...([of('year'), of('month') - 1, of('day')] as const),
      ...([of('hour'), of('minute'), of('second')] as const),
    );
  };

  /** The moment at which the zone's clock shows `clock`; where it is put on there, the next after it. */
  const momentOf = (clock: number): number => {
    const first = clock - (clockAt(clock) - clock);
    return first - (clockAt(first) - clock);
  };

  let last: LocalDay | undefined;
  return (at) => {
    if (last !== undefined && at >= last.startsAt && at < last.endsAt) return last;
    const midnight = Math.floor(clockAt(at) / dayMs) * dayMs;
    last = {
      day: new Date(midnight).toISOString().slice(0, 10),
      startsAt: momentOf(midnight),
      endsAt: momentOf(midnight + dayMs),
    };
    return last;
  };
}

const dayMs = 86_400_000;
