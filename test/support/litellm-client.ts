import { recordOf } from './upstream-request.ts';

/** What a client of the proxy sees of one call. */
export interface CallAnswer {
  readonly status: number;
  /** LiteLLM's call id, from its header. */
  readonly callId: string | undefined;
  /** The answer as it stands; of a stream, all its events. */
  readonly text: string;
  /** The parsed answer; empty for streams. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly latencyMs: number;
}

export interface LitellmClient {
  /** Posts a body to a path such as `/v1/chat/completions` and reads the answer to its end. */
  call(path: string, body: object, headers?: Readonly<Record<string, string>>): Promise<CallAnswer>;
  /** One user message; more fields of the request as they come. */
  chat(model: string, prompt: string, more?: object): Promise<CallAnswer>;
  embed(model: string, input: string | readonly string[]): Promise<CallAnswer>;
  /** Anthropic's interface. */
  message(model: string, prompt: string, more?: object): Promise<CallAnswer>;
}

/** A client with one key of litellm-keys.ts. */
export function litellmClient(url: string, key: string): LitellmClient {
  const call: LitellmClient['call'] = async (path, body, headers = {}) => {
    const startedAt = performance.now();
    const response = await fetch(url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return {
      status: response.status,
      callId: response.headers.get('x-litellm-call-id') ?? undefined,
      text,
      body: isJson ? recordOf(JSON.parse(text)) : {},
      latencyMs: performance.now() - startedAt,
    };
  };
  const messages = (prompt: string) => [{ role: 'user', content: prompt }];
  return {
    call,
    chat: (model, prompt, more = {}) =>
      call('/v1/chat/completions', { model, messages: messages(prompt), ...more }),
    embed: (model, input) => call('/v1/embeddings', { model, input }),
    message: (model, prompt, more = {}) =>
      call('/v1/messages', { model, max_tokens: 100, messages: messages(prompt), ...more }),
  };
}
