/** What waits for a run, and how many runs a second are made; absent while that is not known. */
export interface Load {
  pendingRuns: number;
  runsPerSecond?: number | undefined;
}

/** How many runs may still be made of those of a day, at a time in Unix milliseconds. */
export interface RunsLeft {
  runs: number;
  at: number;
}

export interface SamplingOptions {
  maxRunsPerDay: number;
  maxDrainMs: number;
}

/**
 * The rate at which successes are chosen to have a run. It is 1 as long as everything fits, and never
 * 0: whatever is chosen stands for 1 / rate calls, so that sums can be estimated from the runs.
 */
export interface Sampling {
  rate(now: number, load: Load): number;
  /** What keeps the rate below 1: the time that it takes to send what waits, or the runs of the day. */
  limitedBy(now: number, load: Load): 'drain' | 'day' | undefined;
  /** Runs a second that were chosen within about the last hour; absent before that is known. */
  chosenPerSecond(now: number): number | undefined;
  /** A success came by, and got a run or did not. */
  passed(now: number, isChosen: boolean): void;
  /** Another call got a run. */
  ran(now: number): void;
  runsLeft(now: number): RunsLeft;
}

const day = 86_400_000;
const second = 1_000;
const leastRate = 0.001;
/** Of the rate at which a debt of runs stays as it is, the least. */
const leastOfLasting = 0.5;
/** Of what MLflow takes, so much is planned with: what waits has to become less. */
const planned = 0.9;

/**
 * Two things bound the rate, each in the same way: up to half of what there is nothing happens; from
 * there it falls, in a straight line, to the rate at which no more is spent than comes in.
 *
 * - Time: what waits for a run takes `maxDrainMs` at the most.
 * - Number: the runs of a day lie in a bucket that refills evenly, and is full at first.
 */
export function createSampling(
  { maxRunsPerDay, maxDrainMs }: SamplingOptions,
  startedAt: number,
  left: RunsLeft = { runs: maxRunsPerDay, at: startedAt },
): Sampling {
  const candidates = createFrequency(startedAt);
  const others = createFrequency(startedAt);
  const chosen = createFrequency(startedAt, longMemory);
  const refill = maxRunsPerDay / day;
  let level = Math.min(left.runs, maxRunsPerDay);
  let levelAt = Math.min(left.at, startedAt);

  const refillUntil = (now: number) => {
    level = Math.min(maxRunsPerDay, level + Math.max(0, now - levelAt) * refill);
    levelAt = now;
  };
  /** The share of the candidates that `runsPerSecond` are enough for, beside the other runs. */
  const shareFor = (runsPerSecond: number, now: number) => {
    const spare = Math.max(runsPerSecond / 10, runsPerSecond - others.perSecond(now));
    return Math.min(1, spare / candidates.perSecond(now));
  };
  const byTime = (now: number, { pendingRuns, runsPerSecond }: Load) => {
    if (runsPerSecond === undefined) return 1;
    const most = (runsPerSecond * maxDrainMs) / second;
    if (pendingRuns <= most / 2) return 1;
    const lasting = shareFor(planned * runsPerSecond, now);
    const beyond = pendingRuns / most - 1;
    return beyond <= 0 ? lasting - (1 - lasting) * 2 * beyond : lasting * Math.max(0.1, 1 - beyond);
  };
  const byNumber = (now: number) => {
    refillUntil(now);
    const share = (2 * level) / maxRunsPerDay;
    if (share >= 1) return 1;
    const lasting = shareFor(refill * second, now);
    if (share > 0) return lasting + (1 - lasting) * share;
    // A debt is paid back: less is spent than comes in.
    return lasting * Math.max(leastOfLasting, 1 + share);
  };
  const spend = (now: number) => {
    refillUntil(now);
    chosen.note(now);
    // A debt is limited: a day later all is as it was.
    level = Math.max(-maxRunsPerDay, level - 1);
  };

  return {
    rate: (now, load) => Math.max(leastRate, Math.min(byTime(now, load), byNumber(now))),
    limitedBy: (now, load) => {
      const [time, number] = [byTime(now, load), byNumber(now)];
      if (Math.min(time, number) >= 1) return undefined;
      return time < number ? 'drain' : 'day';
    },
    chosenPerSecond: (now) =>
      Math.abs(now - startedAt) < longEnough ? undefined : chosen.perSecond(now),
    passed: (now, isChosen) => {
      candidates.note(now);
      if (isChosen) spend(now);
    },
    ran: (now) => {
      others.note(now);
      spend(now);
    },
    runsLeft: (now) => {
      refillUntil(now);
      return { runs: level, at: levelAt };
    },
  };
}

/** About the last minute, in milliseconds. */
const shortMemory = 60_000;
const longMemory = 3_600_000;
/** For so long it is not said how many runs are chosen, in milliseconds. */
const longEnough = 600_000;
/** What came within less time says nothing of how often it comes. */
const shortest = 10_000;

/** How often something happened of late; what is longer ago counts ever less. */
function createFrequency(startedAt: number, memory = shortMemory) {
  let weight = 0;
  let noted = startedAt;
  const fadeUntil = (now: number) => {
    // A clock that was set back begins anew from there.
    if (now > noted) weight *= Math.exp((noted - now) / memory);
    noted = now;
  };
  return {
    note: (now: number) => {
      fadeUntil(now);
      weight += 1;
    },
    perSecond: (now: number) => {
      fadeUntil(now);
      const known = 1 - Math.exp(-Math.max(shortest, noted - startedAt) / memory);
      return (weight * second) / (memory * known);
    },
  };
}
