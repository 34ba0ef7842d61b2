import type { UpstreamFault } from './upstream-wish.ts';

export interface FaultAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * How a provider answers each fault; `undefined` for `midstream`, which begins as a success.
 * Providers say more by `code` and wording than by the status, and LiteLLM reads both.
 */
export function faultAnswer(fault: UpstreamFault): FaultAnswer | undefined {
  switch (fault) {
    case 'rate-limit':
      return openaiError(429, 'rate_limit_exceeded', 'Rate limit reached for requests.', {
        'retry-after': '1',
      });
    case 'server-error':
    case 'fail-once':
      return openaiError(500, 'server_error', 'The server had an error.');
    case 'unavailable':
      return openaiError(503, 'overloaded', 'The engine is overloaded.');
    case 'unauthorized':
      return openaiError(401, 'invalid_api_key', 'Incorrect API key provided: sk-fake.');
    case 'bad-request':
      return openaiError(400, 'invalid_value', 'Invalid value for temperature.');
    case 'context-window':
      return openaiError(
        400,
        'context_length_exceeded',
        "This model's maximum context length is 128000 tokens; your messages have 200000.",
      );
    case 'content-filter':
      return openaiError(
        400,
        'content_policy_violation',
        'Your request was rejected as a result of our safety system. content_policy_violation',
      );
    case 'garbage':
      return { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>oops</html>' };
    case 'midstream':
      return undefined;
  }
}

function openaiError(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): FaultAnswer {
  const type =
    status === 429 ? 'requests' : status < 500 ? 'invalid_request_error' : 'server_error';
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ error: { message, type, param: null, code } }),
  };
}
