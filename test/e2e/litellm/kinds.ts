import type { RunFacts } from './expected-run.ts';
import type { MadeCall } from './made-call.ts';
import type { PostedEvent } from './posted-event.ts';

/*
 * What LiteLLM's interfaces have in common, as facts for a test to start from. `model` is the name
 * behind `provider/`, `upstreamUrl` the model server's.
 */

export function chatFacts(
  call: MadeCall,
  upstreamUrl: string,
  model: string,
  group = model,
): RunFacts {
  const { stream, ...parameters } = parametersOf(call);
  return {
    status: 'success',
    callType: 'acompletion',
    model: `openai/${model}`,
    group,
    provider: 'openai',
    apiBase: `${upstreamUrl}/v1`,
    responseId: responseIdOf(call),
    ...(stream === true
      ? {
          stream: true,
          firstToken: true,
          // LiteLLM asks for the usage whatever the client asked for.
          parameters: { ...parameters, stream: true, stream_options: { include_usage: true } },
        }
      : { parameters: { ...parameters, stream: false } }),
    metrics: {},
  };
}

export function messageFacts(call: MadeCall, upstreamUrl: string): RunFacts {
  const { stream = false, ...parameters } = parametersOf(call);
  return {
    status: 'success',
    callType: 'anthropic_messages',
    model: 'anthropic/claude-sonnet-4-5-20250929',
    group: 'claude',
    provider: 'anthropic',
    apiBase: `${upstreamUrl}/v1/messages`,
    responseId: responseIdOf(call),
    ...(stream === true && { stream: true, firstToken: true }),
    parameters: { ...parameters, stream },
    metrics: {},
  };
}

/** A call that LiteLLM refused before it chose a deployment; more where it knew the model. */
export function refusedFacts(
  call: MadeCall,
  error: ErrorFacts,
  more: Partial<RunFacts> = {},
): RunFacts {
  return {
    status: 'failure',
    callType: 'acompletion',
    parameters: {},
    responseId: call.callId,
    metrics: {},
    ...more,
    tags: errorTags(error),
  };
}

export interface ErrorFacts {
  readonly type: string;
  readonly class: string;
  readonly code?: string;
  readonly message: string;
}

/** A chat that its deployment failed. */
export function failedFacts(
  call: MadeCall,
  upstreamUrl: string,
  model: string,
  error: ErrorFacts,
  more: Partial<RunFacts> = {},
): RunFacts {
  return {
    ...chatFacts(call, upstreamUrl, model),
    status: 'failure',
    responseId: call.callId,
    ...more,
    tags: { ...errorTags(error), ...more.tags },
  };
}

function errorTags(error: ErrorFacts): Record<string, string> {
  return {
    error_type: error.type,
    error_class: error.class,
    ...(error.code !== undefined && { error_code: error.code }),
    error_message: error.message,
  };
}

/** LiteLLM's message, for those that hold a time or a path. */
export function messageIn(event: PostedEvent): string {
  const { error_information: error } = event;
  if (typeof error !== 'object' || error === null || !('error_message' in error)) return '';
  return String(error.error_message);
}

/** What the client asked for beside model and content. */
function parametersOf({ body }: MadeCall): Record<string, unknown> {
  if (typeof body === 'string') return {};
  const { model: _model, messages: _messages, input: _input, metadata: _m, ...rest } = body;
  return rest;
}

/** The upstream's own id of what it answered. */
function responseIdOf(call: MadeCall): string {
  return call.upstream.find((record) => record.responseId !== undefined)?.responseId ?? '';
}
