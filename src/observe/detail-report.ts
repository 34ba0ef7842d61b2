import type { Account } from '../journal/account.ts';

/** So many runs in a tracking server make every page of it slow. */
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
  const { runsPending, runsPerSecond, runsChosenPerSecond, runs } = detail;
  const perYear = runsChosenPerSecond * secondsAYear;
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
      per_second: runsPerSecond && rounded(runsPerSecond),
      caught_up_in_seconds: runsPerSecond && rounded(runsPending / runsPerSecond),
      left_of_day: detail.runsLeftOfDay,
      per_year: Math.round(perYear),
      years_to_ten_million: perYear > 0 ? rounded((verySlowAt - runs) / perYear) : undefined,
    },
    calls: { setting: recording.calls, chunks: detail.chunks, pending: detail.chunkPending },
    traces: { setting: recording.traces, complete: detail.traces, pending: detail.tracesPending },
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

/** To three digits that count. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
