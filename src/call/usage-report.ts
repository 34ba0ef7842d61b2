/** What calls add up to. */
export interface UsageCounts {
  /** Calls of LiteLLM, those that a retry or fallback made good included. */
  attempts: number;
  failures: number;
  /** Successes of calls that had failed before. */
  recovered: number;
  cacheHits: number;
  promptTokens: number;
  completionTokens: number;
  totalTokens: number;
  cacheReadTokens: number;
  costUsd: number;
  savedUsd: number;
  /** Successes of which LiteLLM knows no cost. */
  unpriced: number;
}

/** How long successes took that did not come from the cache, in milliseconds. */
export interface UsageLatencies {
  mean: number;
  max: number;
  p50: number;
  p95: number;
  p99: number;
  /** Of streams. */
  firstTokenP95?: number;
}

export interface UsageSums extends UsageCounts {
  /** Absent where there are none. */
  latencies?: UsageLatencies;
}

export interface UsageInterval {
  /** Its number in the day. */
  step: number;
  /** Unix milliseconds. */
  endsAt: number;
  /** By series: `''` for all calls, `model/NAME`, `team/NAME`, `key/NAME`, `errors/TYPE`. */
  sums: Map<string, UsageSums>;
  /** Of the day until its end. */
  dayTotals: UsageCounts;
}

/** How far the run has come that holds the usage of a day, or of a series on that day. */
export interface UsageRunState {
  runId?: string;
  /** Unix milliseconds at which a create was sent that may have acted without being heard of. */
  begunAt?: number;
  /** The name of the experiment of the day's run, and so of the runs of its series. */
  experiment?: string;
}

/** A day of the time zone that usage is kept in. */
export interface UsageDay {
  /** `2026-11-24` */
  day: string;
  /** Its first moment and that of the next day, in Unix milliseconds: 23 to 25 hours apart. */
  startsAt: number;
  endsAt: number;
}

/** What is to be sent of a day, to its run. */
export interface UsageReport extends UsageDay {
  run: UsageRunState;
  /** Those that have closed and were not sent, oldest first; some at a time. */
  intervals: UsageInterval[];
  /** The day is over: no call will be counted in it any more. */
  isOver: boolean;
  /** It is over, and these are its last intervals. */
  isLast: boolean;
}

/** What a series has added up to on a day, for the run of its own. */
export interface UsageTotals extends UsageDay {
  series: string;
  run: UsageRunState;
  /** The day's run. */
  parentRunId: string;
  sums: UsageSums;
  /** They are final. */
  isLast: boolean;
}
