import type { Answer } from './upstream-openai.ts';
import type { UpstreamUsage } from './upstream-record.ts';

export interface AnthropicEvent {
  readonly type: string;
  readonly [key: string]: unknown;
}

export function anthropicMessage(answer: Answer): object {
  return {
    id: answer.id,
    type: 'message',
    role: 'assistant',
    model: answer.model,
    content: [{ type: 'text', text: answer.text }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { ...inputUsage(answer.usage), output_tokens: answer.usage.completionTokens },
  };
}

/** The events of a streamed message, each with its name. */
export function anthropicEvents(answer: Answer): AnthropicEvent[] {
  const words = answer.text.split(/(?<= )/);
  const start = { ...inputUsage(answer.usage), output_tokens: 1 };
  return [
    {
      type: 'message_start',
      message: { ...anthropicMessage(answer), content: [], stop_reason: null, usage: start },
    },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    ...words.map((text) => ({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'text_delta', text },
    })),
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: answer.usage.completionTokens },
    },
    { type: 'message_stop' },
  ];
}

/** Unlike OpenAI's, Anthropic's input tokens leave out those of the prompt cache. */
function inputUsage(usage: UpstreamUsage): object {
  return {
    input_tokens: usage.promptTokens - usage.cachedTokens - usage.cacheWrittenTokens,
    cache_read_input_tokens: usage.cachedTokens,
    cache_creation_input_tokens: usage.cacheWrittenTokens,
  };
}
