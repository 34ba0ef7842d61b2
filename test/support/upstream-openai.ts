import type { UpstreamUsage } from './upstream-record.ts';

/** The parts of an answer, whatever interface it leaves through. */
export interface Answer {
  readonly id: string;
  readonly model: string;
  readonly text: string;
  /** Set when the request offered a tool: its call, instead of a text. */
  readonly toolName?: string;
  readonly usage: UpstreamUsage;
}

export function chatCompletion(answer: Answer): object {
  const message =
    answer.toolName === undefined
      ? { role: 'assistant', content: answer.text }
      : { role: 'assistant', content: null, tool_calls: [toolCall(answer.toolName)] };
  return {
    id: answer.id,
    object: 'chat.completion',
    created: Math.floor(Date.now() / 1000),
    model: answer.model,
    system_fingerprint: 'fp_fake',
    choices: [{ index: 0, message, finish_reason: finishReason(answer), logprobs: null }],
    usage: chatUsage(answer.usage),
  };
}

/** The events of a streamed answer, one a word, the usage in the last one. */
export function chatChunks(answer: Answer): object[] {
  const created = Math.floor(Date.now() / 1000);
  const chunk = (choices: object[], rest: object = {}) => ({
    id: answer.id,
    object: 'chat.completion.chunk',
    created,
    model: answer.model,
    choices,
    ...rest,
  });
  const delta = (content: object) => chunk([{ index: 0, delta: content, finish_reason: null }]);
  const content =
    answer.toolName === undefined
      ? answer.text.split(/(?<= )/).map((word) => delta({ content: word }))
      : [delta({ tool_calls: [{ index: 0, ...toolCall(answer.toolName) }] })];
  return [
    delta({ role: 'assistant', content: '' }),
    ...content,
    chunk([{ index: 0, delta: {}, finish_reason: finishReason(answer) }]),
    chunk([], { usage: chatUsage(answer.usage) }),
  ];
}

export function embeddings(inputs: readonly string[], model: string, usage: UpstreamUsage): object {
  return {
    object: 'list',
    model,
    data: inputs.map((input, index) => ({
      object: 'embedding',
      index,
      embedding: [0.1, -0.2, (input.length % 100) / 100],
    })),
    usage: { prompt_tokens: usage.promptTokens, total_tokens: usage.promptTokens },
  };
}

function chatUsage(usage: UpstreamUsage): object {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens, audio_tokens: 0 },
  };
}

function finishReason({ toolName }: Answer): string {
  return toolName === undefined ? 'stop' : 'tool_calls';
}

function toolCall(name: string): object {
  return { id: 'call_fake_1', type: 'function', function: { name, arguments: '{"city":"Paris"}' } };
}
