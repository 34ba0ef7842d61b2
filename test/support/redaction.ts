import { type AdmittedCall, createAdmission } from '../../src/admit/admit-call.ts';
import { builtInOnly, type RedactionOptions } from '../../src/admit/redaction-options.ts';
import { parseJson } from '../../src/call/parse-json.ts';
import { litellmEvent } from './litellm-event.ts';

/** A key for hashes, long enough to be one. */
export const hashKey = 'a-key-for-hashes-of-tests';

export function redaction(changes: Partial<RedactionOptions>): RedactionOptions {
  return { ...builtInOnly, hashKey, ...changes };
}

/** What goes to disk of a call, under settings that a test wants to differ. */
export function admitUnder(
  changes: Partial<RedactionOptions>,
  event: Record<string, unknown> = {},
): AdmittedCall {
  return createAdmission(redaction(changes)).admit(litellmEvent(1, event), 1);
}

/** Its `call.json`, read. */
export function bodyUnder(
  changes: Partial<RedactionOptions>,
  event: Record<string, unknown> = {},
): Record<string, Record<string, unknown>> {
  const body = admitUnder(changes, event).body?.toString('utf8') ?? '{}';
  return parseJson(body) as Record<string, Record<string, unknown>>;
}
