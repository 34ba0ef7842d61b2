import type { CallName } from './calls.ts';
import type { RunFacts } from './expected-run.ts';
import type { ErrorFacts } from './kinds.ts';

/** A call that the upstream refused. */
export interface Refusal {
  readonly name: CallName;
  /** Behind `openai/`. */
  readonly model: string;
  readonly error: ErrorFacts;
  readonly more?: Partial<RunFacts>;
}

const rateLimit: ErrorFacts = {
  type: 'rate_limit',
  class: 'RateLimitError',
  code: '429',
  message:
    'litellm.RateLimitError: RateLimitError: OpenAIException - Rate limit reached for requests.',
};

export const overloaded: ErrorFacts = {
  type: 'service_unavailable',
  class: 'ServiceUnavailableError',
  code: '503',
  message:
    'litellm.ServiceUnavailableError: ServiceUnavailableError: OpenAIException - The engine is overloaded.',
};

export const serverError: ErrorFacts = {
  type: 'server_error',
  class: 'InternalServerError',
  code: 'server_error',
  message:
    'litellm.InternalServerError: InternalServerError: OpenAIException - The server had an error.',
};

export const refusals: readonly Refusal[] = [
  {
    name: 'rateLimit',
    model: 'gpt-4o',
    error: rateLimit,
    more: { tags: { end_user: 'customer-2', request_tags: 'prod', 'label.prod': 'true' } },
  },
  {
    name: 'streamRefused',
    model: 'gpt-4o',
    error: rateLimit,
    // LiteLLM reports the end as the first token's time.
    more: { firstToken: false },
  },
  { name: 'serverError', model: 'in-house-7b', error: serverError, more: { group: 'in-house' } },
  { name: 'unavailable', model: 'gpt-4o', error: overloaded },
  {
    name: 'upstreamKey',
    model: 'gpt-4o',
    error: {
      type: 'authentication',
      class: 'AuthenticationError',
      code: '401',
      message:
        'litellm.AuthenticationError: AuthenticationError: OpenAIException - Incorrect API key provided: sk-***.',
    },
  },
  {
    name: 'badRequest',
    model: 'gpt-4o',
    error: {
      type: 'invalid_request',
      class: 'BadRequestError',
      code: 'invalid_value',
      message: 'litellm.BadRequestError: OpenAIException - Invalid value for temperature.',
    },
  },
  {
    name: 'contentFilter',
    model: 'gpt-4o-mini',
    error: {
      type: 'content_policy',
      class: 'BadRequestError',
      code: 'content_policy_violation',
      message:
        'litellm.BadRequestError: OpenAIException - Your request was rejected as a result of our safety system. content_policy_violation',
    },
  },
  {
    name: 'contextWindow',
    model: 'gpt-4o-mini',
    error: {
      type: 'context_window',
      class: 'ContextWindowExceededError',
      code: '400',
      message:
        "litellm.ContextWindowExceededError: litellm.BadRequestError: ContextWindowExceededError: OpenAIException - This model's maximum context length is 128000 tokens; your messages have 200000.",
    },
  },
  {
    name: 'garbage',
    model: 'gpt-4o',
    error: {
      type: 'server_error',
      class: 'InternalServerError',
      code: '500',
      message:
        "litellm.InternalServerError: InternalServerError: OpenAIException - Empty or invalid response from LLM endpoint. Received: '<html>oops</html>'. Check the reverse proxy or model server configuration.",
    },
  },
];

const invalidModel = (model: string): ErrorFacts => ({
  type: 'not_found',
  class: 'ProxyModelNotFoundError',
  code: '400',
  message: `400: {'error': '/chat/completions: Invalid model name passed in model=${model}. Call \`/v1/models\` to view available models for your key.'}`,
});

const known = { model: 'openai/gpt-4o-mini', group: 'gpt-4o-mini', provider: 'openai' };

/** Calls that LiteLLM refused itself, before it chose a deployment. */
export const ownRefusals: readonly Omit<Refusal, 'model'>[] = [
  {
    name: 'unknownModel',
    error: invalidModel('no-such-model'),
    more: { name: 'no-such-model', model: 'no-such-model' },
  },
  { name: 'noModel', error: invalidModel('None'), more: { name: 'unknown model' } },
  {
    name: 'noMessages',
    error: {
      type: 'invalid_request',
      class: 'ProxyMissingRequiredParamError',
      code: '400',
      message: "/chat/completions: Missing required parameter: 'messages'.",
    },
    more: known,
  },
  {
    name: 'badKey',
    error: {
      type: 'authentication',
      class: 'ProxyException',
      code: '401',
      message: 'Authentication Error, invalid key',
    },
    more: known,
  },
  {
    name: 'brokenBody',
    error: {
      type: 'invalid_request',
      class: 'ProxyException',
      code: '400',
      message: 'Invalid JSON payload: unexpected end of data: line 1 column 34 (char 33)',
    },
    more: {
      name: 'unknown model',
      messages: [{ role: 'user', content: 'default-message-value' }],
    },
  },
];
