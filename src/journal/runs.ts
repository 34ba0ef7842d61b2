import type { DatabaseSync } from 'node:sqlite';
import { isDeepStrictEqual } from 'node:util';
import {
  createRunChooser,
  lanes,
  type NoRunReason,
  type RunChoiceOptions,
  type RunChoiceState,
  type RunChooser,
} from '../admit/run-choice.ts';
import type { RunsLeft } from '../admit/sampling.ts';
import type { CallRecord } from '../call/call-record.ts';
import type { Ledger } from './ledger.ts';
import { numberOf } from './open-database.ts';

/** Which calls get a run, by what waits for one, what MLflow takes, and what a day may have. */
export interface Runs {
  /** Absent: the call gets none. */
  choose(call: CallRecord, now: number): { lane: number; sampleRate?: number } | undefined;
  /** A call does not wait for its run any more. */
  ended(): void;
  setPace(runsPerSecond: number | undefined): void;
  reconfigure(options: RunChoiceOptions, now: number): void;
  /** Keeps what a restart has to know, and counts what waits anew, now and then. */
  tidy(now: number): void;
  /** Keeps what a restart has to know. */
  keep(now: number): void;
  /** Counts what waits anew: calls were made to wait that were not chosen just now. */
  recount(): void;
  report(now: number): RunsReport;
}

export interface RunsReport extends RunChoiceState {
  /** Calls that wait for a run. */
  pending: number;
  /** Runs a second that MLflow takes, as far as it is known. */
  perSecond?: number;
  /** How many may still be made of those of a day. */
  leftOfDay: number;
}

/** How often it counts, in milliseconds. */
const countEvery = 4_000;

/** Under this name `meta` keeps how many runs are left: `NUMBER UNIX_MS`. */
const leftName = 'runs_left';

export function createRuns(
  database: DatabaseSync,
  ledger: Ledger,
  options: RunChoiceOptions,
  now: number,
): Runs {
  const find = database.prepare('SELECT value FROM meta WHERE name = ?');
  const keep = database.prepare('INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)');
  const countPending = () =>
    Object.values(lanes).map((lane) =>
      numberOf(
        database,
        `SELECT count(*) FROM calls INDEXED BY calls_due WHERE state = 0 AND lane = ${lane}`,
      ),
    );
  let current = options;
  let chooser: RunChooser = createRunChooser(options, now, leftIn(find.get(leftName)?.['value']));
  /** By lane; what has ended is taken off when it is counted anew. */
  let inLanes = countPending();
  let pending = sumOf(inLanes);
  let countedAt = now;
  let perSecond: number | undefined;
  const load = () => ({
    // Replays come after all others, and hold none of them up.
    pendingRuns: pending - (inLanes[lanes.replay] ?? 0),
    pendingIn: (lane: number) => inLanes[lane] ?? 0,
    runsPerSecond: perSecond,
  });

  const recount = () => {
    inLanes = countPending();
    pending = sumOf(inLanes);
  };
  const keepLeft = (now: number) => {
    const { runs, at } = chooser.runsLeft(now);
    keep.run(leftName, `${runs} ${at}`);
  };

  return {
    choose: (call, now) => {
      const choice = chooser.choose(call, now, load());
      if ('reason' in choice) {
        ledger.add(`no_run:${choice.reason satisfies NoRunReason}`, 1);
        return undefined;
      }
      pending += 1;
      inLanes[choice.lane] = (inLanes[choice.lane] ?? 0) + 1;
      return choice;
    },
    ended: () => {
      pending -= 1;
    },
    setPace: (runsPerSecond) => {
      perSecond = runsPerSecond;
    },
    reconfigure: (next, now) => {
      if (isDeepStrictEqual(next, current)) return;
      current = next;
      chooser = createRunChooser(next, now, chooser.runsLeft(now));
    },
    tidy: (now) => {
      if (Math.abs(now - countedAt) < countEvery) return;
      countedAt = now;
      recount();
      keepLeft(now);
    },
    keep: keepLeft,
    recount,
    report: (now) => ({
      pending,
      ...chooser.state(now, load()),
      ...(perSecond !== undefined && { perSecond }),
      leftOfDay: Math.max(0, Math.floor(chooser.runsLeft(now).runs)),
    }),
  };
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

function leftIn(value: unknown): RunsLeft | undefined {
  const [runs, at] = String(value ?? '')
    .split(' ')
    .map(Number);
  return Number.isFinite(runs) && Number.isFinite(at) && runs !== undefined && at !== undefined
    ? { runs, at }
    : undefined;
}
