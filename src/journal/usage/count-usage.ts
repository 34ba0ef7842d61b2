import { createHash } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { CallRecord } from '../../call/call-record.ts';
import type { UsageCounts } from '../../call/usage-report.ts';
import type { Transactions } from '../transactions.ts';
import { binOf } from './latency-bins.ts';
import { addUsage, countColumns, countNames, noUsage } from './usage-columns.ts';
import type { UsageNames } from './usage-names.ts';

/** By what calls are added up, beside all of them. */
export type UsageKey = 'model' | 'team' | 'key';

export interface UsageCounter {
  /** Notes a call; it counts when `write` is called. */
  add(call: CallRecord): void;
  /** Adds the calls that were noted to the interval of `now`, in one go. */
  write(now: number): void;
}

interface Sum {
  counts: UsageCounts;
  latencyCalls: number;
  latencyMsSum: number;
  latencyMsMax: number;
  bins: Map<string, number>;
}

/** How long a failure waits for its success, in milliseconds. */
const recoveryMs = 3_600_000;

export interface CounterParts {
  database: DatabaseSync;
  transactions: Transactions;
  names: UsageNames;
  by: readonly UsageKey[];
  /** The beginning of the interval of a moment, in Unix milliseconds. */
  intervalOf: (now: number) => number;
}

/** Adds calls up, within the transaction that takes them in. */
export function createUsageCounter(parts: CounterParts): UsageCounter {
  const { database, transactions, names, by, intervalOf } = parts;
  const addCounts = prepareAdd(database);
  const addBin = database.prepare(
    `INSERT INTO usage_latencies (began_at, series, kind, bin, calls) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (began_at, series, kind, bin) DO UPDATE SET calls = calls + excluded.calls`,
  );
  const noteFailure = database.prepare(
    'INSERT OR IGNORE INTO failed_calls (call_id, failed_at) VALUES (?, ?)',
  );
  const takeFailure = database.prepare('DELETE FROM failed_calls WHERE call_id = ?');
  let noted: CallRecord[] = [];

  const seriesOf = (call: CallRecord, now: number): string[] => {
    const succeeded = call.status === 'success';
    const own = by.map((kind) => names.seriesOf(kind, nameFor[kind](call), succeeded, now));
    return ['', ...own, ...(call.error === undefined ? [] : [`errors/${call.error.type}`])];
  };

  const hasFailedBefore = (call: CallRecord, now: number): boolean => {
    if (call.callId === undefined) return false;
    const id = createHash('sha256').update(call.callId).digest().subarray(0, 16);
    if (call.status === 'success') return Number(takeFailure.run(id).changes) > 0;
    noteFailure.run(id, now);
    return false;
  };

  return {
    add: (call) => {
      if (noted.length === 0) {
        transactions.onUndo(() => {
          noted = [];
        });
      }
      noted.push(call);
    },
    write: (now) => {
      const sums = new Map<string, Sum>();
      for (const call of noted) {
        const counts = countsOf(call, hasFailedBefore(call, now));
        for (const series of seriesOf(call, now)) {
          const sum = sums.get(series) ?? emptySum();
          sums.set(series, sum);
          addUsage(sum.counts, counts);
          addLatency(sum, call);
        }
      }
      noted = [];
      const beganAt = intervalOf(now);
      for (const [series, sum] of sums) {
        addCounts(beganAt, series, sum);
        for (const [key, calls] of sum.bins) {
          const [kind = '', bin = ''] = key.split(':');
          addBin.run(beganAt, series, kind, Number(bin), calls);
        }
      }
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

function emptySum(): Sum {
  return { counts: noUsage(), latencyCalls: 0, latencyMsSum: 0, latencyMsMax: 0, bins: new Map() };
}

function addLatency(sum: Sum, { status, cacheHit, times }: CallRecord): void {
  if (status !== 'success' || cacheHit || times.source !== 'call') return;
  const count = (kind: string, ms: number) => {
    const key = `${kind}:${binOf(ms)}`;
    sum.bins.set(key, (sum.bins.get(key) ?? 0) + 1);
  };
  const ms = times.end - times.start;
  sum.latencyCalls += 1;
  sum.latencyMsSum += ms;
  sum.latencyMsMax = Math.max(sum.latencyMsMax, ms);
  count('all', ms);
  if (times.firstToken !== undefined) count('first_token', times.firstToken - times.start);
}

function prepareAdd(database: DatabaseSync) {
  const columns = countNames.map((name) => countColumns[name]);
  const sums = [...columns, 'latency_calls', 'latency_ms_sum'];
  const statement: StatementSync = database.prepare(
    `INSERT INTO usage (began_at, series, ${sums.join(', ')}, latency_ms_max)
     VALUES (?, ?, ${sums.map(() => '?').join(', ')}, ?)
     ON CONFLICT (began_at, series) DO UPDATE SET
       ${sums.map((column) => `${column} = ${column} + excluded.${column}`).join(', ')},
       latency_ms_max = max(latency_ms_max, excluded.latency_ms_max)`,
  );
  return (beganAt: number, series: string, sum: Sum) =>
    statement.run(
      ...([beganAt, series] as const),
      ...countNames.map((name) => sum.counts[name]),
      ...([sum.latencyCalls, sum.latencyMsSum, sum.latencyMsMax] as const),
    );
}

/** Forgets failures that no success has come for. */
export function createFailureForgetting(database: DatabaseSync): (now: number) => void {
  const forget = database.prepare('DELETE FROM failed_calls WHERE failed_at < ?');
  return (now) => {
    forget.run(now - recoveryMs);
  };
}
