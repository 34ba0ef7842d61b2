import { databaseTrouble } from './database-trouble.ts';
import type { HoldReason, Outcome } from './outcome.ts';
import type { Answer, MlflowRequest, RequestName } from './transport.ts';

/**
 * What an answer means.
 *
 * | answer                                   | outcome   | because                                     |
 * |------------------------------------------|-----------|---------------------------------------------|
 * | none, not sent                           | hold      | no server there: DNS, refused, TLS          |
 * | none, no credentials                     | hold      | nothing to sign the request by              |
 * | none, sent                               | ambiguous | the server may act without being heard      |
 * | 2xx                                      | done      |                                             |
 * | 400 `RESOURCE_ALREADY_EXISTS`            | exists    | its message names a unique constraint, too  |
 * | 400 `BAD_REQUEST` from the database      | retry     | see `database-trouble.ts`                   |
 * | 422 from the database                    | retry     | traces, up to 3.11                          |
 * | 400 "must be in the 'active' state"      | deleted   | a person deleted the run or experiment      |
 * | 400 without `error_code`                 | hold      | not MLflow's: what stands before it         |
 * | 400 of traces, from FastAPI              | invalid   | it answers `detail` instead of a code       |
 * | 400, 413, 422                            | invalid   | this request, for ever                      |
 * | 401, 403                                 | hold      | credentials                                 |
 * | 403 "Invalid Host header"                | hold      | `--allowed-hosts` of MLflow 3.5 and later   |
 * | 404 `RESOURCE_DOES_NOT_EXIST`            | missing   | the run or experiment                       |
 * | 404, 405 without it                      | hold      | this is no MLflow server                    |
 * | 404, 405 of a presigned URL or of traces | hold      | this MLflow knows none                      |
 * | 408, 425                                 | retry     |                                             |
 * | 404 "server could not be found"          | hold      | SageMaker has no such tracking server       |
 * | 429, any with a throttling name or words | hold      | rationed; `Retry-After` is obeyed           |
 * | 500 of a create, 502, 504                | ambiguous | it may have acted before it failed          |
 * | 500                                      | retry     | the call's fault or the server's: unknown   |
 * | 501, 503 "disabled"                      | hold      | unsupported here                            |
 * | 503                                      | hold      | unavailable; `Retry-After` is obeyed        |
 * | other 5xx                                | ambiguous | a proxy gave up on a server that may act    |
 * | anything else                            | hold      | a proxy's answer, not MLflow's              |
 *
 * MLflow's `error_class` calls a busy database `INVALID_PARAMETER_VALUE`; only `error_code` and the
 * message tell. (Seen on 2.16 to 3.17.)
 */
export function classify(request: MlflowRequest, answer: Answer, now: number): Outcome<string> {
  if (answer.kind === 'held') return { kind: 'hold', reason: 'held', detail: 'not sent' };
  if (answer.kind === 'no_credentials') {
    return { kind: 'hold', reason: 'no_credentials', detail: answer.cause };
  }
  if (answer.kind === 'no_answer') {
    return answer.sent
      ? { kind: 'ambiguous', reason: answer.cause }
      : { kind: 'hold', reason: 'unreachable', detail: answer.cause };
  }
  const { status, text } = answer;
  if (status >= 200 && status < 300) return { kind: 'done', value: text };

  const { errorCode, message } = readError(answer);
  const said = errorCode === undefined ? `HTTP ${status}` : `HTTP ${status} ${errorCode}`;
  const afterMs = retryAfterMs(answer.retryAfter, now);
  const hold = (reason: HoldReason): Outcome<string> => ({
    kind: 'hold',
    reason,
    detail: said,
    ...(afterMs !== undefined && { afterMs }),
    ...(refusals.has(reason) && { suspect: request.name }),
  });
  // MLflow hands out presigned URLs since 3.12, and SageMaker may have that switched off.
  const unknownPath = newerRequests.has(request.name) ? 'unsupported' : 'not_mlflow';
  const reject = (reason: 'missing' | 'deleted' | 'exists' | 'invalid'): Outcome<string> => ({
    kind: 'reject',
    reason,
    answer: `${said}: ${message.slice(0, mostQuoted)}`,
  });

  if (isThrottling(status, errorCode, message)) return hold('throttled');
  switch (status) {
    case 400:
      if (request.name === otlp && saysDetail.test(text)) return reject('invalid');
      if (errorCode === undefined || !isMlflowCode.test(errorCode))
        return hold(frontReason(errorCode));
      if (errorCode === 'RESOURCE_ALREADY_EXISTS') return reject('exists');
      if (errorCode === 'BAD_REQUEST') {
        const trouble = databaseTrouble(message);
        if (trouble !== undefined) {
          const reason = `${said}, database trouble`;
          return {
            kind: 'retry',
            reason,
            ...(trouble === 'conflict' && { suspect: request.name }),
          };
        }
      }
      return reject(isDeleted.test(message) ? 'deleted' : 'invalid');
    case 422:
      // Up to 3.11 what failed of each trace is told so, the database's trouble included.
      if (databaseTrouble(message) !== undefined) {
        return { kind: 'retry', reason: `${said}, database trouble` };
      }
      return reject('invalid');
    case 413:
      return reject('invalid');
    case 401:
      return hold('unauthorized');
    case 403:
      if (saysHost.test(text)) return hold('host_not_allowed');
      return hold(saysBadCredentials.test(errorCode ?? '') ? 'unauthorized' : 'forbidden');
    case 404:
      if (!isMlflowCode.test(errorCode ?? '') && saysNoServer.test(text))
        return hold('no_such_server');
      return errorCode === 'RESOURCE_DOES_NOT_EXIST' ? reject('missing') : hold(unknownPath);
    case 405:
      return hold(unknownPath);
    case 408:
    case 425:
      return { kind: 'retry', reason: said, ...(afterMs !== undefined && { afterMs }) };
    case 500:
      return request.name === 'runs/create'
        ? { kind: 'ambiguous', reason: said, suspect: request.name }
        : { kind: 'retry', reason: said, suspect: request.name };
    case 501:
      return hold('unsupported');
    case 502:
    case 504:
      return { kind: 'ambiguous', reason: said };
    case 503:
      return hold(/is disabled/.test(text) ? 'unsupported' : 'unavailable');
    default:
      return status > 500 ? { kind: 'ambiguous', reason: said } : hold('unavailable');
  }
}

/** MLflow's own sentence, from its beginning: what it quotes of a request may say anything. */
const isDeleted = /^The (run|experiment) \S+ must be in the 'active' state/;
const saysHost = /^Invalid Host header/;
const saysNoServer = /^\W*Tracking server could not be found/i;

const otlp: RequestName = 'v1/traces';
const saysDetail = /^\s*\{"detail":/;

/** What only newer versions know, or what a front may keep from them. */
const newerRequests: ReadonlySet<RequestName> = new Set([
  'artifacts/presigned-upload-url',
  'version',
  'server-info',
  otlp,
  'traces/create',
  'traces/batchGetInfos',
  'traces/batchGet',
]);

/** How much of MLflow's message is kept. It may quote a value of the call, so it is never logged. */
const mostQuoted = 300;

/** Refusals that a server or a proxy may mean for one request alone. */
const refusals: ReadonlySet<HoldReason> = new Set(['unauthorized', 'forbidden', 'not_mlflow']);

/** AWS's names for credentials that are not known or not good any more, and for signatures by them. */
const saysBadCredentials =
  /Token|UnrecognizedClient|Signature|AuthFailure|Request(Expired|InTheFuture)/;

/** What is meant by a 400 of what stands before MLflow. */
function frontReason(errorCode = ''): HoldReason {
  if (/AccessDenied|NotAuthorized/.test(errorCode)) return 'forbidden';
  if (saysBadCredentials.test(errorCode)) return 'unauthorized';
  return errorCode === 'ResourceNotFound' ? 'no_such_server' : 'not_mlflow';
}

/** MLflow's codes are `IN_CAPITALS`; AWS's are names like `ValidationException`. */
const isMlflowCode = /^[A-Z_]+$/;

/**
 * By its status, by the name that AWS's services give it, whatever the status, or by its words where it
 * has no name.
 */
function isThrottling(status: number, errorCode: string | undefined, message: string): boolean {
  if (status === 429) return true;
  return errorCode === undefined
    ? saysThrottled.test(message)
    : /Throttl|TooManyRequests|RequestLimitExceeded|SlowDown/.test(errorCode);
}

const saysThrottled = /^\W*(rate exceeded|too many requests|slow down|throttl)/i;

/**
 * For how many milliseconds an answer asks to wait that refuses a request for its rate. A 503 that says
 * when to come again does so, too, whatever its reason is.
 */
export function throttleOf(answer: Answer, now: number): number | undefined {
  if (answer.kind !== 'answer' || answer.status < 400) return undefined;
  const { errorCode, message } = readError(answer);
  const isPostponed = answer.status === 503 && answer.retryAfter !== undefined;
  return isPostponed || isThrottling(answer.status, errorCode, message)
    ? (retryAfterMs(answer.retryAfter, now) ?? 0)
    : undefined;
}

/** The error's name: MLflow's own goes before those of AWS, which come in the body or in a header. */
function readError({ text, errorType }: Extract<Answer, { kind: 'answer' }>): {
  errorCode?: string;
  message: string;
} {
  let message = text;
  let names: unknown[] = [errorType];
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null) {
      const { error_code, __type, code, Code }: Record<string, unknown> = { ...body };
      if ('message' in body) message = String(body.message);
      else if ('detail' in body) message = String(body.detail);
      if (error_code !== undefined) return { errorCode: shortCode(String(error_code)), message };
      names = [__type, errorType, code, Code];
    }
  } catch {
    // Flask and proxies answer HTML.
  }
  const name = names.find(isAwsName);
  return name === undefined ? { message } : { errorCode: shortCode(name), message };
}

/** Not so `code`s of others, which could pass for MLflow's. */
function isAwsName(name: unknown): name is string {
  return typeof name === 'string' && /^([\w.]*#)?[A-Z]\w*[a-z]\w*(:|$)/.test(name);
}

/** AWS's names may come as `com.amazon.service#Name`, and in the header as `Name:http://…`. */
function shortCode(code: string): string {
  return code.replace(/^[\w.]*#|:.*$/gs, '').slice(0, 100);
}

/** A server that asks for more is asked again sooner: it may have meant another unit. */
const longestRetryAfter = 15 * 60_000;

/** `Retry-After` as milliseconds from `now`: seconds, or an HTTP date. */
function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), longestRetryAfter) : undefined;
}
