import type { UsageCounts, UsageSums } from '../../call/usage-report.ts';

/** A number of a series, its name in MLflow, and what it is. */
export interface UsageMetric {
  name: string;
  explained: string;
  /** Absent where there is nothing to be said: a rate of nothing, a latency of no call. */
  of: (sums: UsageSums) => number | undefined;
}

const requestsOf = ({ attempts, recovered }: UsageCounts) => Math.max(0, attempts - recovered);

/** A share of the requests, 0 to 1. */
const rate = (part: number, counts: UsageCounts) => {
  const requests = requestsOf(counts);
  return requests === 0 ? undefined : Math.min(1, Math.max(0, part / requests));
};

const latency = (
  name: string,
  what: string,
  of: (latencies: NonNullable<UsageSums['latencies']>) => number | undefined,
): UsageMetric => ({
  name,
  explained: `${what}, in ms, of successes that the cache did not answer`,
  of: ({ latencies }) => latencies && of(latencies),
});

/** Of each series, in the order in which they are best read. */
export const usageMetrics: readonly UsageMetric[] = [
  {
    name: 'requests',
    explained:
      'requests of clients: attempts of LiteLLM, less those made good by a retry or fallback',
    of: requestsOf,
  },
  { name: 'failures', explained: 'attempts that failed', of: ({ failures }) => failures },
  {
    name: 'recovered',
    explained: 'successes of requests that had failed before',
    of: ({ recovered }) => recovered,
  },
  {
    name: 'error_rate',
    explained: 'the share of the requests that failed for good',
    of: (sums) => rate(sums.failures - sums.recovered, sums),
  },
  { name: 'cache_hits', explained: 'answers from the cache', of: ({ cacheHits }) => cacheHits },
  {
    name: 'cache_hit_rate',
    explained: 'the share of the requests that the cache answered',
    of: (sums) => rate(sums.cacheHits, sums),
  },
  { name: 'prompt_tokens', explained: 'tokens in', of: ({ promptTokens }) => promptTokens },
  {
    name: 'completion_tokens',
    explained: 'tokens out',
    of: ({ completionTokens }) => completionTokens,
  },
  { name: 'total_tokens', explained: 'both', of: ({ totalTokens }) => totalTokens },
  {
    name: 'cache_read_input_tokens',
    explained: "tokens in that the provider's prompt cache had",
    of: ({ cacheReadTokens }) => cacheReadTokens,
  },
  {
    name: 'cost_usd',
    explained: 'US dollars, as LiteLLM estimates them',
    of: ({ costUsd }) => costUsd,
  },
  {
    name: 'saved_cost_usd',
    explained: 'US dollars that the cache saved, as LiteLLM estimates them',
    of: ({ savedUsd }) => savedUsd,
  },
  {
    name: 'unpriced_requests',
    explained: 'successes without a known price, which cost_usd does not hold',
    of: ({ unpriced }) => unpriced,
  },
  latency('latency_ms_mean', 'the mean latency', ({ mean }) => mean),
  latency('latency_ms_p50', 'the median latency', ({ p50 }) => p50),
  latency('latency_ms_p95', 'the latency that 95 % did not pass', ({ p95 }) => p95),
  latency('latency_ms_p99', 'the latency that 99 % did not pass', ({ p99 }) => p99),
  latency('latency_ms_max', 'the longest latency', ({ max }) => max),
  latency(
    'time_to_first_token_ms_p95',
    'the time to the first token that 95 % of the streams did not pass',
    ({ firstTokenP95 }) => firstTokenP95,
  ),
];

/** What adds up over a day, and is told as `day/NAME`. */
export const dayMetrics: readonly UsageMetric[] = usageMetrics.filter(
  ({ name }) => !/_rate$|_ms_/.test(name),
);
