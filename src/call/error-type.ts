import { type Fields, objectIn, textIn } from './fields.ts';

/** Why a call failed, as a closed set that charts and filters can rely on. */
export type ErrorType =
  | 'rate_limit'
  | 'authentication'
  | 'permission'
  | 'timeout'
  | 'connection'
  | 'context_window'
  | 'content_policy'
  | 'invalid_request'
  | 'not_found'
  | 'budget_exceeded'
  | 'guardrail'
  | 'service_unavailable'
  | 'server_error'
  | 'client_disconnect'
  | 'unknown';

/** LiteLLM's and its providers' exception classes that say more than a status code does. */
const byClass: ReadonlyMap<string, ErrorType> = new Map([
  ['BudgetExceededError', 'budget_exceeded'],
  ['ContextWindowExceededError', 'context_window'],
  ['ContentPolicyViolationError', 'content_policy'],
  ['GuardrailRaisedException', 'guardrail'],
  ['BlockedPiiEntityError', 'guardrail'],
  ['ModifyResponseException', 'guardrail'],
  ['RateLimitError', 'rate_limit'],
  ['ProxyRateLimitError', 'rate_limit'],
  ['AuthenticationError', 'authentication'],
  ['PermissionDeniedError', 'permission'],
  ['Timeout', 'timeout'],
  ['TimeoutError', 'timeout'],
  ['APITimeoutError', 'timeout'],
  ['APIConnectionError', 'connection'],
  ['NotFoundError', 'not_found'],
  ['ProxyModelNotFoundError', 'not_found'],
  ['ServiceUnavailableError', 'service_unavailable'],
  ['InternalServerError', 'server_error'],
  ['BadGatewayError', 'server_error'],
  ['BadRequestError', 'invalid_request'],
  ['InvalidRequestError', 'invalid_request'],
  ['UnprocessableEntityError', 'invalid_request'],
  ['UnsupportedParamsError', 'invalid_request'],
  ['JSONSchemaValidationError', 'invalid_request'],
  ['ProxyMissingRequiredParamError', 'invalid_request'],
  ['CancelledError', 'client_disconnect'],
  ['ClientDisconnect', 'client_disconnect'],
]);

/** The words after the status in LiteLLM's `normalized_error`, such as `429_RATE_LIMIT_EXCEEDED`. */
const byNormalizedError: readonly (readonly [RegExp, ErrorType])[] = [
  [/BUDGET/, 'budget_exceeded'],
  [/CONTEXT_WINDOW/, 'context_window'],
  [/CONTENT_POLICY|CONTENT_FILTER/, 'content_policy'],
  [/GUARDRAIL/, 'guardrail'],
  [/RATE_LIMIT/, 'rate_limit'],
  [/AUTHENTICATION|UNAUTHORIZED/, 'authentication'],
  [/PERMISSION|FORBIDDEN/, 'permission'],
  [/TIMEOUT/, 'timeout'],
  [/CONNECTION/, 'connection'],
  [/NOT_FOUND/, 'not_found'],
  [/UNAVAILABLE|OVERLOADED/, 'service_unavailable'],
  [/CLIENT_(DISCONNECT|CLOSED)|CANCELLED/, 'client_disconnect'],
  [/INVALID_REQUEST|MISSING_REQUIRED|UNSUPPORTED/, 'invalid_request'],
  [/INTERNAL_ERROR|SERVER_ERROR/, 'server_error'],
];

/** What LiteLLM's own messages say where its codes say something more general, or something else. */
const byMessage: readonly (readonly [RegExp, ErrorType])[] = [
  [/no such model|model not found|invalid model name/i, 'not_found'],
  [/not allowed to access model/i, 'permission'],
];

/** A key that is missing or wrong is a bare `Exception` without code at times. */
const badKey = /authentication error|api key|virtual key|invalid user key/i;

const byStatus: ReadonlyMap<string, ErrorType> = new Map([
  ['400', 'invalid_request'],
  ['401', 'authentication'],
  ['403', 'permission'],
  ['404', 'not_found'],
  ['408', 'timeout'],
  ['413', 'invalid_request'],
  ['415', 'invalid_request'],
  ['422', 'invalid_request'],
  ['429', 'rate_limit'],
  ['499', 'client_disconnect'],
  ['502', 'server_error'],
  ['503', 'service_unavailable'],
  ['504', 'timeout'],
]);

/**
 * The error type of a failed call.
 *
 * LiteLLM's fields disagree at times (a content filter is class `BadRequestError` with
 * `normalized_error` `400_INVALID_REQUEST` and code `content_policy_violation`; an exceeded budget
 * is code `422` with `429_BUDGET_EXCEEDED`), so the most specific source is asked first: provider
 * codes, the guardrail's status, the class where it is specific, LiteLLM's words, its normalised
 * name, the class where it is general, the HTTP status.
 */
export function errorTypeOf(payload: Fields): ErrorType {
  const error = objectIn(payload['error_information']);
  const code = textIn(error['error_code']) ?? '';
  const normalized = (textIn(error['normalized_error']) ?? '').toUpperCase();
  const message = textIn(error['error_message']) ?? '';

  if (/content_(policy|filter)/i.test(code)) return 'content_policy';
  if (/context_length|context_window/i.test(code)) return 'context_window';
  if (objectIn(payload['status_fields'])['guardrail_status'] === 'guardrail_intervened') {
    return 'guardrail';
  }
  const named = byClass.get(textIn(error['error_class']) ?? '');
  if (named !== undefined && !generalTypes.has(named)) return named;
  const said = byMessage.find(([words]) => words.test(message))?.[1];
  if (said !== undefined) return said;
  const normal = byNormalizedError.find(([words]) => words.test(normalized))?.[1];
  if (normal !== undefined && !generalTypes.has(normal)) return normal;
  const type = named ?? normal ?? byStatus.get(code);
  if (type !== undefined) return type;
  if (/^5\d\d$/.test(code)) return 'server_error';
  // A provider that breaks a stream off with an error in it: LiteLLM knows no status then.
  if (code === '' && error['error_class'] === 'APIError') return 'server_error';
  return badKey.test(message) ? 'authentication' : 'unknown';
}

/** Types that another source may know better. */
const generalTypes: ReadonlySet<ErrorType> = new Set(['invalid_request', 'server_error']);
