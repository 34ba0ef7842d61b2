import { planted, plantedSecret } from './planted.ts';

/**
 * A standard logging payload as LiteLLM posts it, small, with what a test wants to differ. What was
 * asked and answered and the keys that it echoes are planted: no log may hold them.
 */
export function litellmEvent(number: number, changes: Record<string, unknown> = {}) {
  const start = 1_795_531_721.525959 + number;
  return {
    id: `chatcmpl-${number}`,
    litellm_call_id: `call-${number}`,
    trace_id: `trace-${number}`,
    session_id: '',
    call_type: 'acompletion',
    cache_hit: null,
    stream: null,
    status: 'success',
    custom_llm_provider: 'openai',
    startTime: start,
    endTime: start + 0.25,
    completionStartTime: start + 0.25,
    model: 'openai/gpt-4o-mini',
    model_group: 'gpt-4o-mini',
    api_base: 'http://127.0.0.1:9/v1',
    response_cost: 0.000_007_35,
    saved_cache_cost: 0,
    prompt_tokens: 21,
    completion_tokens: 7,
    total_tokens: 28,
    request_tags: [],
    metadata: {
      user_api_key_user_id: 'user-42',
      user_api_key_team_id: 'team-7',
      user_api_key_team_alias: 'payments',
      usage_object: { prompt_tokens: 21, completion_tokens: 7, total_tokens: 28 },
    },
    messages: [{ role: 'user', content: `question ${number} ${planted}` }],
    response: {
      choices: [{ message: { role: 'assistant', content: `answer ${number} ${planted}` } }],
    },
    model_parameters: { temperature: 0.5 },
    hidden_params: {
      additional_headers: {
        'x-litellm-attempted-retries': 0,
        'llm_provider-authorization': `Bearer sk-${plantedSecret}-${number}`,
      },
    },
    error_information: {},
    error_str: null,
    ...changes,
  };
}

/** A body in LiteLLM's `json_array` format, in memory of its own. */
export function bodyOf(...events: unknown[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(JSON.stringify(events)));
}

/** Calls with the numbers from `first` to `last`. */
export function eventsFrom(first: number, last: number, changes: Record<string, unknown> = {}) {
  return Array.from({ length: last - first + 1 }, (_, index) =>
    litellmEvent(first + index, changes),
  );
}
