import type { UpstreamRecord, UpstreamUsage } from '../../support/upstream-record.ts';
import type { MadeCall } from './made-call.ts';
import { costOf } from './prices.ts';

/** The metrics of a chat's answer: what the upstream reported, and what that costs. */
export function chatMetrics(call: MadeCall, model: string): Record<string, number> {
  const usage = usageOf(call);
  const cost = costOf(model, usage);
  return {
    ...tokenMetrics(usage),
    cache_read_input_tokens: usage.cachedTokens,
    reasoning_tokens: usage.reasoningTokens,
    ...(cost !== undefined && { cost_usd: cost }),
  };
}

/** The same for Anthropic's messages, which tell what was written to the prompt cache. */
export function messageMetrics(call: MadeCall): Record<string, number> {
  return {
    ...chatMetrics(call, 'claude-sonnet-4-5-20250929'),
    cache_creation_input_tokens: usageOf(call).cacheWrittenTokens,
  };
}

export function tokenMetrics(usage: UpstreamUsage): Record<string, number> {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
  };
}

/** What LiteLLM told the client of its own work: nobody else knows. */
export function headerMetrics(call: MadeCall): Record<string, number> {
  return {
    retries: numberIn(call.answerHeaders, 'x-litellm-attempted-retries'),
    ...overheadMetric(call),
  };
}

export function overheadMetric({ answerHeaders }: MadeCall): Record<string, number> {
  return { litellm_overhead_ms: numberIn(answerHeaders, 'x-litellm-overhead-duration-ms') };
}

/** The usage of the attempt that succeeded. */
export function usageOf(call: MadeCall): UpstreamUsage {
  const { usage } = succeeded(call);
  if (usage === undefined) throw new Error(`The upstream reported no usage for: ${call.prompt}`);
  return usage;
}

/** The text that the upstream answered. */
export function answerTo(call: MadeCall): string | undefined {
  return succeeded(call).answer;
}

function succeeded({ upstream, prompt }: MadeCall): UpstreamRecord {
  const record = upstream.find(({ usage }) => usage !== undefined);
  if (record === undefined) throw new Error(`The upstream did not answer: ${prompt}`);
  return record;
}

export function numberIn(headers: Headers, name: string): number {
  const text = headers.get(name);
  if (text === null) throw new Error(`LiteLLM sent no ${name}.`);
  return Number(text);
}
