import type { DatabaseSync } from 'node:sqlite';
import type { CallRecord } from '../../call/call-record.ts';
import type { UsageCounts } from '../../call/usage-report.ts';
import type { Transactions } from '../transactions.ts';
import type { FailedCalls } from './failed-calls.ts';
import { addCalls, binOf } from './latency-bins.ts';
import type { UsageNames } from './usage-names.ts';
import { addCounts, emptySum, sumColumns, sumIn, type UsageSum, valuesOf } from './usage-sum.ts';

/** By what calls are added up, beside all of them. */
export type UsageKey = 'model' | 'team' | 'key';

export interface UsageCounter {
  /** Notes a call; it counts when `write` is called. */
  add(call: CallRecord): void;
  /** Adds the calls that were noted to the interval of `now` (Unix milliseconds), in one go. */
  write(now: number): void;
}

export interface CounterParts {
  database: DatabaseSync;
  transactions: Transactions;
  names: UsageNames;
  failedCalls: FailedCalls;
  by: readonly UsageKey[];
  /** The beginning of the interval in which a call of `now` counts. */
  intervalOf: (now: number) => number;
}

/** Adds calls up, within the transaction that takes them in. */
export function createUsageCounter(parts: CounterParts): UsageCounter {
  const { database, transactions, names, failedCalls, by, intervalOf } = parts;
  const find = database.prepare('SELECT * FROM usage WHERE began_at = ? AND series = ?');
  const columns = ['began_at', 'series', ...sumColumns];
  const put = database.prepare(
    `INSERT INTO usage (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
     ON CONFLICT DO UPDATE SET ${sumColumns.map((name) => `${name} = excluded.${name}`).join(', ')}`,
  );
  let noted: CallRecord[] = [];
  /** The sums of the interval that calls last counted in, as they are on disk. */
  let open = { beganAt: Number.NaN, sums: new Map<string, UsageSum>() };

  const sumOf = (beganAt: number, series: string): UsageSum => {
    if (open.beganAt !== beganAt) open = { beganAt, sums: new Map() };
    const known = open.sums.get(series);
    if (known !== undefined) return known;
    const row = find.get(beganAt, series);
    const sum = row === undefined ? emptySum() : sumIn(row);
    open.sums.set(series, sum);
    return sum;
  };

  const seriesOf = (call: CallRecord, now: number): string[] => {
    const succeeded = call.status === 'success';
    const own = by.map((kind) => names.seriesOf(kind, nameFor[kind](call), succeeded, now));
    return ['', ...own, ...(call.error === undefined ? [] : [`errors/${call.error.type}`])];
  };

  return {
    add: (call) => {
      if (noted.length === 0) {
        transactions.onUndo(() => {
          noted = [];
          open = { beganAt: Number.NaN, sums: new Map() };
        });
      }
      noted.push(call);
    },
    write: (now) => {
      const beganAt = intervalOf(now);
      const changed = new Map<string, UsageSum>();
      for (const call of noted) {
        const counts = countsOf(call, failedCalls.hasRecovered(call, now));
        for (const series of seriesOf(call, now)) {
          const sum = sumOf(beganAt, series);
          changed.set(series, sum);
          addCounts(sum.counts, counts);
          addLatency(sum, call);
        }
      }
      noted = [];
      for (const [series, sum] of changed) put.run(beganAt, series, ...valuesOf(sum));
    },
  };
}

/** The name of a call's model is the one that clients ask for: failures have it too. */
const nameFor: Readonly<Record<UsageKey, (call: CallRecord) => string>> = {
  model: (call) => call.modelGroup ?? call.model ?? 'none',
  team: ({ caller }) => caller.teamAlias ?? caller.teamId ?? 'none',
  key: ({ caller }) => caller.keyAlias ?? 'none',
};

function countsOf(call: CallRecord, recovered: boolean): UsageCounts {
  const { tokens, cost } = call;
  const succeeded = call.status === 'success';
  return {
    attempts: 1,
    failures: succeeded ? 0 : 1,
    recovered: recovered ? 1 : 0,
    cacheHits: call.cacheHit ? 1 : 0,
    promptTokens: tokens.prompt ?? 0,
    completionTokens: tokens.completion ?? 0,
    totalTokens: tokens.total ?? 0,
    cacheReadTokens: tokens.cacheRead ?? 0,
    costUsd: cost.usd ?? 0,
    savedUsd: cost.savedUsd ?? 0,
    unpriced: succeeded && cost.usd === undefined ? 1 : 0,
  };
}

function addLatency(sum: UsageSum, { status, cacheHit, times }: CallRecord): void {
  if (status !== 'success' || cacheHit || times.source !== 'call') return;
  const ms = times.end - times.start;
  sum.latencyMsSum += ms;
  sum.latencyMsMax = Math.max(sum.latencyMsMax, ms);
  addCalls(sum.latencies, binOf(ms), 1);
  if (times.firstToken !== undefined) {
    addCalls(sum.firstTokens, binOf(times.firstToken - times.start), 1);
  }
}
