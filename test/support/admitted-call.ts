import { createAdmission } from '../../src/admit/admit-call.ts';
import { builtInOnly } from '../../src/admit/redaction-options.ts';
import type { CallRecord } from '../../src/call/call-record.ts';
import type { Fields } from '../../src/call/fields.ts';

const { admit } = createAdmission(builtInOnly);

/** A payload as it goes to disk where the settings want nothing to be redacted. */
export function admitCall(
  payload: Fields,
  receivedAt: number,
): { record: CallRecord; body: Buffer } {
  const { record, body } = admit(payload, receivedAt);
  if (body === undefined) throw new Error('a call has a body where nothing is redacted');
  return { record, body };
}
