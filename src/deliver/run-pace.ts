import type { Journal } from '../journal/journal.ts';
import type { Clock } from './clock.ts';
import type { UntilKept } from './until-kept.ts';

/** Learns how many runs a second the server takes. */
export interface RunPace {
  /** A request went out to MLflow. */
  requested(): void;
  /** A run is complete. */
  ran(): void;
  /** Takes stock; to be called every few seconds. Absent: nothing is known yet. */
  runsPerSecond(): number | undefined;
}

export interface RunPaceParts {
  /** Requests a second that may be made; absent without a ration. */
  rate: () => number | undefined;
  /** Whether more calls wait than are under way. */
  isBusy: () => boolean;
  clock: Pick<Clock, 'ticks'>;
}

/**
 * Requests of a run until more is known: one of them for an artifact behind MLflow's proxy. All requests are
 * counted, so that what usage, chunks and traces take is taken off what is left for runs.
 */
const firstGuess = 4;
const leastRequests = 3;
const mostRequests = 10;
/** So many runs say how many requests one takes. */
const enoughRuns = 20;
/** How much what is new counts. */
const weight = 0.3;

/**
 * With a ration: the rate by the requests that a run takes. Without one: how many runs were made while
 * more were waiting; before that was ever so, it is not known.
 */
export function createRunPace({ rate, isBusy, clock }: RunPaceParts): RunPace {
  let perRun = firstGuess;
  let perSecond: number | undefined;
  let seen = { requests: 0, runs: 0, since: clock.ticks() };
  let stretch = { runs: 0, since: clock.ticks(), isBusy: false };
  const blended = (old: number, now: number) => old + weight * (now - old);

  return {
    requested: () => {
      seen.requests += 1;
    },
    ran: () => {
      seen.runs += 1;
      stretch.runs += 1;
    },
    runsPerSecond: () => {
      const now = clock.ticks();
      if (seen.runs >= enoughRuns) {
        const counted = Math.min(mostRequests, Math.max(leastRequests, seen.requests / seen.runs));
        perRun = blended(perRun, counted);
        seen = { requests: 0, runs: 0, since: now };
      }
      const seconds = (now - stretch.since) / 1_000;
      const wasBusy = stretch.isBusy && isBusy();
      if (seconds > 0) {
        const made = stretch.runs / seconds;
        if (wasBusy && made > 0)
          perSecond = perSecond === undefined ? made : blended(perSecond, made);
        else if (perSecond !== undefined) perSecond = Math.max(perSecond, made);
      }
      stretch = { runs: 0, since: now, isBusy: isBusy() };
      const requests = rate();
      return requests === undefined ? perSecond : requests / perRun;
    },
  };
}

/** How often the journal is told, in milliseconds. */
const every = 5_000;

/** Tells the journal how many runs a second are made, so that no more are promised. */
export async function reportPace(
  pace: Pick<RunPace, 'runsPerSecond'>,
  journal: Pick<Journal, 'setPace'>,
  untilKept: UntilKept,
  clock: Clock,
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    const runsPerSecond = pace.runsPerSecond();
    await untilKept(() => journal.setPace(runsPerSecond));
    await clock.sleep(every, over);
  }
}
