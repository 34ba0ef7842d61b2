import type { DatabaseSync } from 'node:sqlite';
import type {
  UsageCounts,
  UsageInterval,
  UsageLatencies,
  UsageReport,
  UsageRunState,
  UsageSums,
} from '../../call/usage-report.ts';
import { quantileOf } from './latency-bins.ts';
import type { LocalDay } from './local-day.ts';
import { addUsage, countColumns, countNames, noUsage } from './usage-columns.ts';

/** The most intervals that are handed out at once. */
const mostIntervals = 24;

type Row = Record<string, unknown>;
type Bins = [bin: number, calls: number][];

export interface ReaderParts {
  database: DatabaseSync;
  dayOf: (at: number) => LocalDay;
  intervalMs: number;
}

/** Reads what calls added up to, by intervals that have closed. */
export function createUsageReader({ database, dayOf, intervalMs }: ReaderParts) {
  const oldest = database.prepare('SELECT min(began_at) AS at FROM usage');
  const latest = database.prepare(
    'SELECT max(began_at) AS at FROM usage WHERE began_at >= ? AND began_at < ?',
  );
  const within = 'began_at >= ? AND began_at < ?';
  const sumOf = [
    ...countNames.map((name) => `sum(${countColumns[name]}) AS ${countColumns[name]}`),
    ...['sum(latency_calls) AS latency_calls', 'sum(latency_ms_sum) AS latency_ms_sum'],
    'max(latency_ms_max) AS latency_ms_max',
  ].join(', ');
  const sums = database.prepare(
    `SELECT series, ${sumOf} FROM usage WHERE ${within} GROUP BY series`,
  );
  const bins = database.prepare(
    `SELECT series, kind, bin, sum(calls) AS calls FROM usage_latencies WHERE ${within}
     GROUP BY series, kind, bin ORDER BY series, kind, bin`,
  );
  const findRuns = database.prepare('SELECT * FROM usage_runs WHERE day = ?');
  const firstOf = database.prepare(
    `SELECT series, min(began_at) AS at FROM usage WHERE ${within} GROUP BY series`,
  );

  /** The sums of each series over a time. */
  const read = (from: number, until: number): Map<string, UsageSums> => {
    const binsOf = new Map<string, Bins>();
    for (const row of bins.all(from, until)) {
      const key = `${row['kind']}:${row['series']}`;
      const own = binsOf.get(key) ?? [];
      binsOf.set(key, own);
      own.push([Number(row['bin']), Number(row['calls'])]);
    }
    return new Map(
      sums.all(from, until).map((row) => {
        const series = String(row['series']);
        const latencies = latenciesOf(
          row,
          binsOf.get(`all:${series}`) ?? [],
          binsOf.get(`first_token:${series}`) ?? [],
        );
        return [series, { ...countsIn(row), ...(latencies && { latencies }) }];
      }),
    );
  };

  const intervals = (day: LocalDay, from: number, until: number): UsageInterval[] => {
    const began = new Map(
      firstOf
        .all(day.startsAt, day.endsAt)
        .map((row) => [String(row['series']), Number(row['at'])]),
    );
    const dayTotals = read(day.startsAt, from).get('') ?? noUsage();
    const found: UsageInterval[] = [];
    for (let at = from; at < until; at += intervalMs) {
      const endsAt = Math.min(at + intervalMs, day.endsAt);
      const own = read(at, endsAt);
      // What has been seen on this day is zero where there is nothing.
      for (const [series, since] of began) {
        if (since < at && !own.has(series)) own.set(series, noUsage());
      }
      addUsage(dayTotals, own.get('') ?? noUsage());
      const step = Math.floor((at - day.startsAt) / intervalMs);
      found.push({ step, endsAt, sums: own, dayTotals: { ...countsFrom(dayTotals) } });
    }
    return found;
  };

  /**
   * What is to be sent to `destination`, of the oldest day of which something is; absent where nothing
   * has closed since.
   *
   * @param now Unix milliseconds.
   */
  return (destination: string, now: number): UsageReport | undefined => {
    const first = oldest.get()?.['at'];
    if (typeof first !== 'number') return undefined;
    const day = dayOf(first);
    const rows = findRuns.all(day.day).filter((row) => row['destination'] === destination);
    const sentUntil = Math.max(first, ...rows.map((row) => Number(row['sent_until'])));
    const isOver = now >= day.endsAt;
    const lastSeen = Number(latest.get(day.startsAt, day.endsAt)?.['at'] ?? first);
    const closed = day.startsAt + Math.floor((now - day.startsAt) / intervalMs) * intervalMs;
    // A day that is over ends with its last call: nothing more is said of the rest.
    const end = isOver ? Math.min(day.endsAt, lastSeen + intervalMs) : closed;
    const until = Math.min(end, sentUntil + mostIntervals * intervalMs);
    if (until <= sentUntil && !isOver) return undefined;
    return {
      day: day.day,
      startsAt: day.startsAt,
      endsAt: day.endsAt,
      intervals: intervals(day, sentUntil, until),
      totals: read(day.startsAt, day.endsAt),
      runs: new Map(rows.map((row) => [String(row['series']), runIn(row)])),
      isLast: isOver && until >= end,
    };
  };
}

function countsIn(row: Row): UsageCounts {
  const counts = noUsage();
  for (const name of countNames) counts[name] = Number(row[countColumns[name]]);
  return counts;
}

function countsFrom(sums: UsageCounts): UsageCounts {
  const counts = noUsage();
  addUsage(counts, sums);
  return counts;
}

function latenciesOf(row: Row, all: Bins, firstToken: Bins): UsageLatencies | undefined {
  const calls = Number(row['latency_calls']);
  if (calls === 0) return undefined;
  const max = Number(row['latency_ms_max']);
  // A bin's middle may lie beyond the longest of its calls.
  const at = (quantile: number) => Math.min(max, quantileOf(all, quantile) ?? max);
  const firstTokenP95 = quantileOf(firstToken, 0.95);
  return {
    mean: Number(row['latency_ms_sum']) / calls,
    max,
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    ...(firstTokenP95 !== undefined && { firstTokenP95 }),
  };
}

function runIn(row: Row): UsageRunState {
  const { run_id: runId, begun_at: begunAt } = row;
  return {
    experimentId: String(row['experiment_id']),
    ...(typeof runId === 'string' && { runId }),
    ...(typeof begunAt === 'number' && { begunAt }),
  };
}
