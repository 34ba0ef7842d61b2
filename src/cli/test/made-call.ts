import type { CallRecord } from '../../call/call-record.ts';
import { parseCall } from '../../call/parse-call.ts';
import { testTag } from '../../journal-options.ts';

/** A call that nobody made, as LiteLLM would post it, and what the sidecar makes of it. */
export interface MadeCall {
  event: Readonly<Record<string, unknown>>;
  call: CallRecord;
}

/** How long it took, and what it was made of. */
const latencySeconds = 0.25;
const tokens = { prompt_tokens: 21, completion_tokens: 7, total_tokens: 28 };

/**
 * Makes one up that ended a moment ago: LiteLLM's standard logging payload, without a price.
 *
 * @param id What tells it from all others.
 * @param now Unix milliseconds.
 */
export function makeCall(id: string, now: number): MadeCall {
  const end = Math.floor(now) / 1_000;
  const event = {
    id: `${testTag}-${id}`,
    litellm_call_id: `${testTag}-${id}`,
    trace_id: `${testTag}-${id}`,
    session_id: '',
    call_type: 'acompletion',
    status: 'success',
    cache_hit: null,
    stream: null,
    custom_llm_provider: testTag,
    model: `${testTag}/made-up`,
    model_group: testTag,
    api_base: '',
    startTime: end - latencySeconds,
    endTime: end,
    completionStartTime: end,
    response_cost: 0,
    saved_cache_cost: 0,
    ...tokens,
    request_tags: [testTag],
    metadata: { user_api_key_user_id: testTag, user_api_key_alias: testTag, usage_object: tokens },
    messages: [{ role: 'user', content: 'Does this call arrive?' }],
    response: {
      choices: [{ message: { role: 'assistant', content: 'It does.' }, finish_reason: 'stop' }],
    },
    model_parameters: { temperature: 0 },
    hidden_params: {},
    error_information: {},
    error_str: null,
  };
  return { event, call: parseCall(event, now) };
}
