import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorType, errorTypeOf } from '../../src/call/error-type.ts';

type Said = readonly [
  type: ErrorType,
  error_class: string,
  error_code: string,
  normalized_error: string,
  error_message: string,
];

/** Beyond the fixtures: what LiteLLM and providers are known to say, and what a user would call it. */
const said: readonly Said[] = [
  ['permission', 'ProxyException', '401', '', 'key not allowed to access model. This key can …'],
  [
    'permission',
    'ProxyException',
    '403',
    '401_AUTHENTICATION_FAILED',
    'team not allowed to access model',
  ],
  ['permission', 'PermissionDeniedError', '403', '', ''],
  ['permission', '', '403', '', ''],
  [
    'authentication',
    'ProxyException',
    '401',
    '',
    'Authentication Error, Invalid proxy server token passed',
  ],
  [
    'authentication',
    'Exception',
    '',
    'UNCLASSIFIED',
    "LiteLLM Virtual Key expected. Expected to start with 'sk-'",
  ],
  ['authentication', 'Exception', '', '', 'Malformed API Key passed in.'],
  ['context_window', 'ContextWindowExceededError', '400', '400_CONTEXT_WINDOW_EXCEEDED', ''],
  ['context_window', 'BadRequestError', 'context_length_exceeded', '400_INVALID_REQUEST', ''],
  ['content_policy', 'ContentPolicyViolationError', '400', '400_INVALID_REQUEST', ''],
  ['content_policy', 'BadRequestError', 'content_filter', '400_INVALID_REQUEST', ''],
  ['not_found', 'NotFoundError', '404', '', 'The model does not exist'],
  ['not_found', 'HTTPException', '404', '', ''],
  ['timeout', 'HTTPException', '504', '', ''],
  ['timeout', 'APIError', '408', '408_UPSTREAM_TIMEOUT', ''],
  ['connection', 'APIConnectionError', '500', '500_PROVIDER_CONNECTION_ERROR', ''],
  ['service_unavailable', 'ServiceUnavailableError', '503', '', ''],
  ['service_unavailable', '', '503', '', ''],
  ['server_error', 'BadGatewayError', '502', '', ''],
  ['server_error', '', '529', '', ''],
  ['client_disconnect', '', '499', '', ''],
  ['client_disconnect', 'CancelledError', '', '', ''],
  ['rate_limit', '', '429', '', ''],
  ['invalid_request', 'UnprocessableEntityError', '422', '', ''],
  ['unknown', '', '', '', ''],
  ['unknown', 'Exception', '', 'UNCLASSIFIED', 'something odd'],
];

for (const [type, error_class, error_code, normalized_error, error_message] of said) {
  const named = [error_class, error_code, normalized_error, error_message].filter((part) => part);
  test(`an error that says ${named.join(', ') || 'nothing'} is ${type}`, () => {
    const error_information = { error_class, error_code, normalized_error, error_message };
    assert.equal(errorTypeOf({ error_information }), type);
  });
}

test('a request that a guardrail stopped is of type guardrail, whatever else is said', () => {
  assert.equal(
    errorTypeOf({
      status_fields: { guardrail_status: 'guardrail_intervened' },
      error_information: { error_class: 'HTTPException', error_code: '400' },
    }),
    'guardrail',
  );
});

test('an error of no shape at all has a type', () => {
  for (const error_information of [undefined, null, 'text', 7, [], { error_code: { a: 1 } }]) {
    assert.equal(errorTypeOf({ error_information }), 'unknown');
  }
});

test('a numeric code counts as its text', () => {
  assert.equal(errorTypeOf({ error_information: { error_code: 429 } }), 'rate_limit');
});
