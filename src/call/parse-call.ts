import type { CallError, Caller, CallRecord, CallTimes } from './call-record.ts';
import { costOf } from './cost.ts';
import { errorTypeOf } from './error-type.ts';
import { beginningOf, countIn, type Fields, given, numberIn, objectIn, textIn } from './fields.ts';
import { recordIdOf } from './identity.ts';
import { parametersOf } from './parameters.ts';
import { serviceTierOf } from './service-tier.ts';
import { tokensOf } from './tokens.ts';

/**
 * Turns LiteLLM's standard logging payload into a call. It never fails: a field of the wrong type is
 * a field that is not there.
 *
 * @param receivedAt Unix milliseconds of the POST, for calls whose own times are unusable.
 */
export function parseCall(payload: Fields, receivedAt: number): CallRecord {
  const metadata = objectIn(payload['metadata']);
  const hidden = objectIn(payload['hidden_params']);
  const headers = objectIn(hidden['additional_headers']);
  const status = statusOf(payload);
  const cacheHit = payload['cache_hit'] === true;
  const stream = isStream(payload);
  return {
    recordId: recordIdOf(payload),
    status,
    stream,
    cacheHit,
    times: timesOf(payload, status, stream, receivedAt),
    tokens: tokensOf(payload),
    cost: costOf(payload, cacheHit),
    caller: callerOf(payload, metadata),
    requestTags: requestTagsOf(payload),
    parameters: parametersOf(payload),
    ...given({
      callId: textIn(payload['litellm_call_id']),
      responseId: textIn(payload['id']),
      traceId: textIn(payload['trace_id']),
      sessionId: sessionIdOf(payload, metadata),
      callType: textIn(payload['call_type']),
      model: textIn(payload['model']),
      modelGroup: textIn(payload['model_group']),
      provider: textIn(payload['custom_llm_provider']),
      serviceTier: serviceTierOf(payload),
      apiBase: textIn(payload['api_base']),
      retries: countIn(headers['x-litellm-attempted-retries']),
      overheadMs: numberIn(hidden['litellm_overhead_time_ms']),
      error: status === 'failure' ? errorOf(payload) : undefined,
    }),
  };
}

function statusOf(payload: Fields): CallRecord['status'] {
  if (payload['status'] === 'success' || payload['status'] === 'failure') return payload['status'];
  const failed =
    textIn(payload['error_str']) ?? textIn(objectIn(payload['error_information'])['error_class']);
  return failed === undefined ? 'success' : 'failure';
}

/** LiteLLM sets `stream` on streams that succeeded; on failed ones only the parameter tells. */
function isStream(payload: Fields): boolean {
  return payload['stream'] === true || objectIn(payload['model_parameters'])['stream'] === true;
}

/** Unix seconds of 2000-01-01 and 2100-01-01: what lies outside is a clock that was never set. */
const earliest = 946_684_800;
const latest = 4_102_444_800;

function timesOf(
  payload: Fields,
  status: CallRecord['status'],
  stream: boolean,
  receivedAt: number,
): CallTimes {
  const start = moment(payload['startTime']);
  const end = moment(payload['endTime']);
  if (start === undefined || end === undefined || end < start) {
    return { start: receivedAt, end: receivedAt, source: 'received' };
  }
  const firstToken = stream ? moment(payload['completionStartTime']) : undefined;
  const times: CallTimes = { start: start * 1000, end: end * 1000, source: 'call' };
  // A stream that failed before its first token reports its end as the first token's time.
  const last = status === 'failure' ? end - 1e-6 : end;
  if (firstToken !== undefined && firstToken >= start && firstToken <= last) {
    times.firstToken = firstToken * 1000;
  }
  return times;
}

function moment(value: unknown): number | undefined {
  const seconds = numberIn(value);
  return seconds !== undefined && seconds >= earliest && seconds < latest ? seconds : undefined;
}

/** `session_id` is filled only under `request_correlation_in_logs`; the client's own stands in. */
function sessionIdOf(payload: Fields, metadata: Fields): string | undefined {
  return (
    textIn(payload['session_id']) ?? textIn(objectIn(metadata['requester_metadata'])['session_id'])
  );
}

function callerOf(payload: Fields, metadata: Fields): Caller {
  return given({
    userId: textIn(metadata['user_api_key_user_id']),
    teamId: textIn(metadata['user_api_key_team_id']),
    teamAlias: textIn(metadata['user_api_key_team_alias']),
    orgId: textIn(metadata['user_api_key_org_id']),
    keyAlias: textIn(metadata['user_api_key_alias']),
    endUser: textIn(payload['end_user']) ?? textIn(metadata['user_api_key_end_user_id']),
  });
}

/** LiteLLM adds the client's `User-Agent` as two tags to every call; they are nobody's choice. */
function requestTagsOf(payload: Fields): string[] {
  const tags = payload['request_tags'];
  if (!Array.isArray(tags)) return [];
  const texts = tags.map(textIn).filter((tag) => tag !== undefined);
  return [...new Set(texts)].filter((tag) => !tag.startsWith('User-Agent:'));
}

function errorOf(payload: Fields): CallError {
  const error = objectIn(payload['error_information']);
  const message = textIn(error['error_message']) ?? textIn(payload['error_str']);
  const traceback = textIn(error['traceback']);
  return {
    type: errorTypeOf(payload),
    ...given({
      class: textIn(error['error_class']),
      code: textIn(error['error_code']),
      message: message && beginningOf(message, 2000),
      traceback: traceback && beginningOf(traceback, 64 * 1024),
    }),
  };
}
