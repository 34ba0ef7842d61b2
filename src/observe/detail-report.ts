import type { Account, DetailCounts } from '../journal/account.ts';

/** So many runs in a tracking server make every page of it slow; counted are those of this journal. */
const verySlowAt = 10_000_000;
const secondsAYear = 365.25 * 86_400;

/**
 * Which detail is written of calls beside their counts, why no more, and how far behind it is.
 *
 * @param recording What the settings want.
 * @param now Unix milliseconds.
 */
export function detailReport(
  { detail, oldestPendingAt }: Account,
  recording: { runs: string; calls: string; traces: string; usage: string },
  now: number,
): object {
  const { runsPending, runs } = detail;
  const { perSecond, caughtUpIn, perYear } = forecastOf(detail);
  return {
    usage: recording.usage,
    runs: {
      setting: recording.runs,
      sample_rate: rounded(detail.sampleRate),
      because: reasonOf(detail.limitedBy, recording.runs),
      complete: runs,
      none: detail.noRun,
      pending: runsPending,
      behind_seconds:
        oldestPendingAt === undefined ? 0 : rounded(Math.max(0, now - oldestPendingAt) / 1_000),
      per_second: perSecond && rounded(perSecond),
      caught_up_in_seconds: caughtUpIn === undefined ? undefined : rounded(caughtUpIn),
      left_of_day: detail.runsLeftOfDay,
      per_year: perYear && Math.round(perYear),
      years_to_ten_million: perYear ? rounded((verySlowAt - runs) / perYear) : undefined,
    },
    calls: {
      setting: recording.calls,
      chunks: detail.chunks,
      given_up: detail.chunksGivenUp,
      pending: detail.chunkPending,
      oldest_seconds:
        detail.oldestChunkAt === undefined
          ? 0
          : rounded(Math.max(0, now - detail.oldestChunkAt) / 1_000),
    },
    traces: {
      setting: recording.traces,
      because: traceReasonOf(detail.tracesWaived, recording.traces),
      complete: detail.traces,
      given_up: detail.tracesGivenUp,
      pending: detail.tracesPending,
    },
  };
}

/** Runs a second, how many seconds what waits takes, and how many runs a year at this pace. */
export function forecastOf({ runsPending, runsPerSecond, runsChosenPerSecond }: DetailCounts) {
  return {
    perSecond: runsPerSecond,
    caughtUpIn: runsPerSecond === undefined ? undefined : runsPending / runsPerSecond,
    perYear: runsChosenPerSecond === undefined ? undefined : runsChosenPerSecond * secondsAYear,
  };
}

function reasonOf(limitedBy: 'drain' | 'day' | undefined, setting: string): string {
  if (setting !== 'auto') return `record.runs is ${setting}`;
  switch (limitedBy) {
    case 'drain':
      return 'a sample of the successes: more calls come than runs can be made within record.maxDrain';
    case 'day':
      return 'a sample of the successes: record.maxRunsPerDay are nearly used up';
    case undefined:
      return 'every call: all fit';
  }
}

function traceReasonOf(areWaived: boolean, setting: string): string {
  if (setting === 'off') return 'record.traces is off';
  return areWaived
    ? 'none: this MLflow takes none of many in a request; it is asked again each hour'
    : 'every call';
}

/** To three digits that count. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
