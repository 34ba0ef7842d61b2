import type { CallRecord } from '../call/call-record.ts';
import type { Fields } from '../call/fields.ts';
import { parseCall } from '../call/parse-call.ts';
import { maskPayload } from './mask-secrets.ts';
import { shapeBody } from './shape-body.ts';

/** A call as the journal takes it in. */
export interface AdmittedCall {
  record: CallRecord;
  /** The bytes of `call.json`. */
  body: Buffer;
}

/**
 * Makes of a posted payload what may go to disk: secrets masked, repetition dropped.
 *
 * @param receivedAt Unix milliseconds of the POST.
 * @throws RangeError for a payload that is nested too deeply to be written again.
 */
export function admitCall(payload: Fields, receivedAt: number): AdmittedCall {
  const masked = maskPayload(payload);
  return { record: parseCall(masked, receivedAt), body: shapeBody(masked) };
}
