/** What calls add up to. */
export interface UsageCounts {
  /** Calls of LiteLLM, retries and fallbacks included. */
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

/** How long successes took that did not come from the cache, in milliseconds; absent for none. */
export interface UsageLatencies {
  mean: number;
  max: number;
  p50: number;
  p95: number;
  p99: number;
  firstTokenP95?: number;
}

export interface UsageSums extends UsageCounts {
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

/** A run that holds the usage of a day, or of a series on that day, as far as it has come. */
export interface UsageRunState {
  experimentId: string;
  runId?: string;
  /** Unix milliseconds since when a create may have been sent. */
  begunAt?: number;
}

/** What is to be sent of a day. */
export interface UsageReport {
  day: string;
  /** Unix milliseconds. */
  startsAt: number;
  endsAt: number;
  /** Those that have closed and were not sent, oldest first; some at a time. */
  intervals: UsageInterval[];
  /** The day's sums of each series, as of now. */
  totals: Map<string, UsageSums>;
  /** Runs by series, towards this destination. */
  runs: Map<string, UsageRunState>;
  /** Nothing more comes after this. */
  isLast: boolean;
}
