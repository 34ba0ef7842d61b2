import type { CallRecord } from '../call/call-record.ts';
import { createFailureQuota } from './failure-quota.ts';
import { isMarked, type MarkRules } from './mark-rules.ts';
import { createSampling, type Load, type RunsLeft, type Sampling } from './sampling.ts';

/** Which calls get a run of their own. */
export type RunsSetting = 'auto' | 'all' | 'errors' | 'off';

export interface RunChoiceOptions {
  runs: RunsSetting;
  mark: MarkRules;
  /** Failures that get a run a minute, for each type of error, model and team. */
  failuresPerMinute: number;
  maxRunsPerDay: number;
  /** Milliseconds that what waits for a run may take to be sent. */
  maxDrainMs: number;
}

/** The order in which runs are made, the lowest first. Replays come last. */
export const lanes = { marked: 0, failed: 1, sampled: 2, replay: 3 } as const;

/** Why a call has no run. */
export type NoRunReason =
  /** The settings want none. */
  | 'off'
  /** There were enough failures of its kind in this minute. */
  | 'quota'
  /** Chance chose others. */
  | 'sampled'
  /** So many marked or failed calls wait for a run that no more of them can be promised one. */
  | 'behind';

export type RunChoice =
  /** `sampleRate`: the probability with which it was chosen; absent for failures. */
  { lane: number; sampleRate?: number } | { reason: NoRunReason };

const secondsADay = 86_400;

/** `pendingIn`: how many of those that wait for a run are in a lane. */
export type LoadByLane = Load & { pendingIn: (lane: number) => number };

/** Chooses once for each call, when it is taken in, whether it gets a run. */
export interface RunChooser {
  /**
   * @param now Unix milliseconds.
   * @param load What waits for a run already, and what MLflow takes.
   */
  choose(call: CallRecord, now: number, load: LoadByLane): RunChoice;
  /** How things stand. */
  state(now: number, load: Load): RunChoiceState;
  /** What a restart has to know of the runs of the day. */
  runsLeft(now: number): RunsLeft;
}

export interface RunChoiceState {
  /** The rate at which a success would be chosen now, 0 to 1. */
  sampleRate: number;
  /** What keeps it below 1. */
  limitedBy?: 'drain' | 'day';
  /** Runs a second at this pace, over time; absent before that is known. */
  chosenPerSecond?: number;
}

export function createRunChooser(
  options: RunChoiceOptions,
  now: number,
  runsLeft?: RunsLeft,
): RunChooser {
  const { runs, mark, maxDrainMs } = options;
  const forward = createForwardTime(now);
  const quota = createFailureQuota(options.failuresPerMinute);
  const sampling = createSampling(options, now, runsLeft);

  const choose = (call: CallRecord, now: number, load: LoadByLane): RunChoice => {
    switch (runs) {
      case 'off':
        return { reason: 'off' };
      case 'all':
        sampling.ran(now);
        return { lane: call.status === 'failure' ? lanes.failed : lanes.sampled, sampleRate: 1 };
      case 'errors':
      case 'auto':
        return (
          chooseByItself(call, now, load) ??
          (runs === 'errors' ? { reason: 'off' } : chooseByChance(call, now, load, sampling))
        );
    }
  };

  /** Marked and failed calls; absent for those that chance is asked for. */
  const chooseByItself = (
    call: CallRecord,
    now: number,
    load: LoadByLane,
  ): RunChoice | undefined => {
    const marked = isMarked(call, mark);
    if (!marked && call.status !== 'failure') return undefined;
    const lane = marked ? lanes.marked : lanes.failed;
    if (isBehind(lane, load)) return { reason: 'behind' };
    if (!marked && !quota.allows(call, now)) return { reason: 'quota' };
    sampling.ran(now);
    return marked ? { lane, sampleRate: 1 } : { lane };
  };

  /** What waits in this lane alone takes longer to send than anything should. */
  const isBehind = (lane: number, { pendingIn, runsPerSecond }: LoadByLane) =>
    runsPerSecond !== undefined && pendingIn(lane) > (runsPerSecond * maxDrainMs) / 1_000;

  const state = (now: number, load: Load): RunChoiceState => {
    const perSecond = sampling.chosenPerSecond(now);
    if (runs !== 'auto') {
      return {
        sampleRate: runs === 'all' ? 1 : 0,
        ...(perSecond !== undefined && { chosenPerSecond: perSecond }),
      };
    }
    const limitedBy = sampling.limitedBy(now, load);
    const overTime = options.maxRunsPerDay / secondsADay;
    return {
      sampleRate: sampling.rate(now, load),
      ...(perSecond !== undefined && { chosenPerSecond: Math.min(perSecond, overTime) }),
      ...(limitedBy !== undefined && { limitedBy }),
    };
  };

  return {
    choose: (call, now, load) => choose(call, forward(now), load),
    state: (now, load) => state(forward(now), load),
    runsLeft: (now) => sampling.runsLeft(forward(now)),
  };
}

/** More than this, in milliseconds, is a clock that was set back. */
const longestDisorder = 600_000;

/**
 * Time that does not run backwards: posts are kept in another order than they began to arrive in, and
 * what refills or fades over time must not do so twice.
 */
function createForwardTime(startedAt: number): (now: number) => number {
  let latest = startedAt;
  return (now) => {
    if (now > latest || latest - now > longestDisorder) latest = now;
    return latest;
  };
}

/** A record's id is a hash: its first bits are as good as any chance, and the same at each try. */
function chooseByChance(
  { recordId }: CallRecord,
  now: number,
  load: Load,
  sampling: Sampling,
): RunChoice {
  const chance = Number.parseInt(recordId.slice(0, 12), 16) / 2 ** 48;
  const sampleRate = sampling.rate(now, load);
  const isChosen = chance < sampleRate;
  sampling.passed(now, isChosen);
  return isChosen ? { lane: lanes.sampled, sampleRate } : { reason: 'sampled' };
}
