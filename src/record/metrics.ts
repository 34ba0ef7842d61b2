import type { CallRecord } from '../call/call-record.ts';

/** A call's metrics. What is not known has none. */
export function metricsOf(call: CallRecord): Map<string, number> {
  const { times, tokens, cost } = call;
  const timed = times.source === 'call';
  const latencyMs = timed ? milliseconds(times.end - times.start) : undefined;
  const firstTokenMs =
    times.firstToken === undefined ? undefined : milliseconds(times.firstToken - times.start);
  const values: Record<string, number | undefined> = {
    latency_ms: latencyMs,
    time_to_first_token_ms: firstTokenMs,
    prompt_tokens: tokens.prompt,
    completion_tokens: tokens.completion,
    total_tokens: tokens.total,
    cache_read_input_tokens: tokens.cacheRead,
    cache_creation_input_tokens: tokens.cacheCreation,
    reasoning_tokens: tokens.reasoning,
    cost_usd: cost.usd,
    saved_cost_usd: cost.savedUsd,
    cache_hit: call.cacheHit ? 1 : 0,
    error: call.status === 'failure' ? 1 : 0,
    retries: call.retries,
    litellm_overhead_ms: call.overheadMs,
    output_tokens_per_second: outputRate(call, latencyMs),
  };
  return new Map(
    Object.entries(values).filter((entry): entry is [string, number] => entry[1] !== undefined),
  );
}

/** LiteLLM's clock counts microseconds; the digits behind them are noise of its floating point. */
function milliseconds(duration: number): number {
  return Math.round(duration * 1000) / 1000;
}

/** Completion tokens over the whole latency; an answer from the cache was not generated. */
function outputRate(call: CallRecord, latencyMs: number | undefined): number | undefined {
  const tokens = call.tokens.completion;
  if (call.cacheHit || tokens === undefined || tokens === 0) return undefined;
  return latencyMs === undefined || latencyMs === 0 ? undefined : tokens / (latencyMs / 1000);
}
