import type { CallRecord } from '../call/call-record.ts';
import { type Fields, given } from '../call/fields.ts';
import { parseCall } from '../call/parse-call.ts';
import { createRedaction, type RedactedCall } from './redaction.ts';
import type { RedactionOptions } from './redaction-options.ts';
import { shapeBody } from './shape-body.ts';
import { createVetting, type Redactor } from './vet-texts.ts';

/** A call as the journal takes it in. */
export interface AdmittedCall {
  record: CallRecord;
  /** The bytes of `call.json`; absent where there is to be none. */
  body?: Buffer;
}

/** Makes of posted payloads what may go to disk. */
export interface Admission {
  /**
   * Secrets masked, what the settings name redacted, repetition dropped.
   *
   * @param receivedAt Unix milliseconds of the POST.
   * @throws RangeError for a payload that is nested too deeply to be written again.
   */
  admit(payload: Fields, receivedAt: number): AdmittedCall;
  /** The same, with the texts shown to the external redactor between; it fails as `admit` does. */
  admitVetted(payload: Fields, receivedAt: number, redactor: Redactor): Promise<AdmittedCall>;
}

/** Compiles the settings' redaction; see `redaction-options.ts`. */
export function createAdmission(options: RedactionOptions): Admission {
  const redact = createRedaction(options);
  return {
    admit: (payload, receivedAt) => finish(redact(payload, receivedAt), receivedAt),
    admitVetted: async (payload, receivedAt, redactor) =>
      finish(await createVetting(redactor)(redact(payload, receivedAt)), receivedAt),
  };
}

function finish({ payload, facts, body }: RedactedCall, receivedAt: number): AdmittedCall {
  const record = withFacts(parseCall(payload, receivedAt), facts);
  switch (body) {
    case 'kept':
      return { record, body: shapeBody(payload) };
    case 'dropped':
    case 'unvetted':
      return { record: { ...record, body } };
    default:
      return {
        record: { ...record, body: 'hashed' },
        body: Buffer.from(JSON.stringify(body.hashes), 'utf8'),
      };
  }
}

/**
 * The identity, the numbers and the kinds of a call do not depend on what was redacted: a repeat is
 * known, and what was used is counted, under any settings.
 */
function withFacts(record: CallRecord, facts: CallRecord): CallRecord {
  const { recordId, status, stream, cacheHit, times, tokens, cost, retries, overheadMs } = facts;
  const { error: _, ...rest } = record;
  return {
    ...rest,
    recordId,
    status,
    stream,
    cacheHit,
    times,
    tokens,
    cost,
    ...given({
      retries,
      overheadMs,
      error: facts.error && { ...record.error, type: facts.error.type },
    }),
  };
}
