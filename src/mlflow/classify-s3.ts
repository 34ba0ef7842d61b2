import type { PutResult } from '../aws/s3.ts';
import type { HoldReason, Outcome } from './outcome.ts';

/**
 * What S3's answer to an upload means.
 *
 * | answer                               | outcome | because                                        |
 * |--------------------------------------|---------|------------------------------------------------|
 * | none, no credentials                 | hold    | nothing to sign the request by                 |
 * | none                                 | retry   | an upload may be sent again as often as needed |
 * | 400 `EntityTooLarge`                 | invalid | this object, for ever                          |
 * | bad credentials, by S3's code        | hold    | they have run out, or are not known any more   |
 * | 403, 401                             | hold    | no permission for the bucket, prefix or key    |
 * | 404                                  | hold    | no such bucket                                 |
 * | 429, 503                             | hold    | too many requests                              |
 * | 500 and other 5xx                    | retry   | S3's own trouble, usually short                |
 * | anything else                        | hold    | the bucket's state or a wrong endpoint         |
 */
export function classifyPut(result: PutResult): Outcome<void> {
  if (result.kind === 'stored') return { kind: 'done', value: undefined };
  const hold = (reason: HoldReason): Outcome<void> => ({
    kind: 'hold',
    reason,
    detail: said,
  });
  const said =
    result.kind === 'refused' ? `S3 ${result.status} ${result.name}` : `S3 ${result.name}`;
  if (result.kind === 'failed') {
    if (/Credentials/.test(result.name)) return hold('no_credentials');
    return { kind: 'retry', reason: said };
  }
  const { status, name } = result;
  if (name === 'EntityTooLarge') return { kind: 'reject', reason: 'invalid', answer: said };
  if (saysBadCredentials.test(name)) return hold('unauthorized');
  if (status === 401 || status === 403) return hold('forbidden');
  if (status === 404) return hold('no_such_bucket');
  if (status === 429 || status === 503) return hold('throttled');
  if (status >= 500) return { kind: 'retry', reason: said, suspect: 'artifacts/put' };
  return hold('unavailable');
}

/** S3's codes for credentials that are no good, and for signatures by them: no object is at fault. */
const saysBadCredentials =
  /^(ExpiredToken|InvalidToken|TokenRefreshRequired|InvalidAccessKeyId|SignatureDoesNotMatch|RequestExpired|RequestTimeTooSkewed)$/;
