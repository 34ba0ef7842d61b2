import type { CallRecord } from '../call/call-record.ts';
import { type Fields, isObject, objectIn } from '../call/fields.ts';
import type { KeyedHash } from './keyed-hash.ts';
import type { BodyRule, BodyTreatment, RedactionOptions } from './redaction-options.ts';

/** What becomes of the body of a call, by what the call was before anything was redacted. */
export function treatmentOf(
  { rules, bodies }: Pick<RedactionOptions, 'rules' | 'bodies'>,
  call: CallRecord,
): BodyTreatment {
  return rules.find((rule) => matches(rule, call))?.bodies ?? bodies;
}

function matches({ team, keyAlias, modelGroup, requestTag }: BodyRule, call: CallRecord): boolean {
  const { caller } = call;
  return (
    (team === undefined || team === caller.teamId || team === caller.teamAlias) &&
    (keyAlias === undefined || keyAlias === caller.keyAlias) &&
    (modelGroup === undefined || modelGroup === call.modelGroup) &&
    (requestTag === undefined || call.requestTags.includes(requestTag))
  );
}

/** Parameters whose texts are words of an interface, never a person's own. */
const wordParameters: ReadonlySet<string> = new Set([
  'encoding_format',
  'quality',
  'reasoning_effort',
  'service_tier',
  'size',
  'tool_choice',
  'truncation',
  'verbosity',
  'voice',
]);

/**
 * A payload without what was asked and answered, and without what may quote it: the error's message
 * and traceback, and those parameters that are texts (`instructions`, `stop`, `tools`).
 */
export function withoutBody(payload: Fields): Fields {
  const { messages, response, error_str, ...rest } = payload;
  const { error_message, traceback, ...error } = objectIn(payload['error_information']);
  const parameters = Object.entries(objectIn(payload['model_parameters'])).filter(
    ([name, value]) =>
      typeof value === 'number' ||
      typeof value === 'boolean' ||
      (typeof value === 'string' && wordParameters.has(name) && /^[\w.-]{1,32}$/.test(value)),
  );
  return {
    ...rest,
    model_parameters: Object.fromEntries(parameters),
    error_information: error,
  };
}

/**
 * A `call.json` of hashes alone: one for each message, and for each choice of the answer, so that
 * the same prompt and the same answer are known again in whatever they stand beside.
 */
export function hashedBody({ messages, response }: Fields, hash: KeyedHash): object {
  const hashOf = (value: unknown) => ({ redacted: 'hash', hmac: hash(value) });
  const each = (value: unknown) => {
    if (value === undefined || value === null) return value;
    return Array.isArray(value) ? value.map(hashOf) : hashOf(value);
  };
  const { choices, output, data } = objectIn(response);
  const answers = Array.isArray(choices) ? choices.map(messageIn) : (output ?? data ?? response);
  return { request: { messages: each(messages) }, response: each(answers) };
}

function messageIn(choice: unknown): unknown {
  return isObject(choice) ? (choice['message'] ?? choice['text'] ?? choice) : choice;
}
