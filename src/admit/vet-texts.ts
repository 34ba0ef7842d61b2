import { type Fields, isObject, objectIn } from '../call/fields.ts';
import { withoutBody } from './body-treatment.ts';
import type { RedactedCall } from './redaction.ts';

/**
 * An external redactor: gives each text back as it may be kept, in the same order; undefined when it
 * fails in whatever way.
 */
export type Redactor = (texts: readonly string[]) => Promise<readonly string[] | undefined>;

/** Ids, names and numbers that LiteLLM itself sets: nobody writes texts into them. */
const notShown: ReadonlySet<string> = new Set([
  'api_base',
  'cache_key',
  'call_type',
  'cost_breakdown',
  'custom_llm_provider',
  'end_user',
  'hidden_params',
  'id',
  'litellm_call_id',
  'model',
  'model_group',
  'model_id',
  'model_map_information',
  'requester_ip_address',
  'session_id',
  'status',
  'status_fields',
  'trace_id',
]);

const isShownMetadata = (name: string) => !name.startsWith('user_api_key_');

/**
 * Shows the free texts of a call to the redactor. When that fails, the body is given up, and with it
 * every other text that was to be looked at: what was not vetted is not kept.
 */
export function createVetting(redactor: Redactor) {
  return async (call: RedactedCall): Promise<RedactedCall> => {
    const texts = new Set<string>();
    mapFreeTexts(call.payload, (text) => {
      if (text !== '') texts.add(text);
      return text;
    });
    if (texts.size === 0) return call;
    const asked = [...texts];
    const answers = await redactor(asked);
    if (answers === undefined) return unvetted(call);
    const byText = new Map(asked.map((text, index) => [text, answers[index] ?? '']));
    return { ...call, payload: mapFreeTexts(call.payload, (text) => byText.get(text) ?? '') };
  };
}

function unvetted(call: RedactedCall): RedactedCall {
  const { request_tags, ...payload } = withoutBody(call.payload);
  const metadata = Object.entries(objectIn(payload['metadata'])).filter(
    ([name]) => !isShownMetadata(name),
  );
  return {
    ...call,
    payload: { ...payload, metadata: Object.fromEntries(metadata) },
    body: call.body === 'kept' ? 'unvetted' : call.body,
  };
}

function mapFreeTexts(payload: Fields, map: (text: string) => string): Fields {
  return mapMembers(payload, (name, value) => {
    if (notShown.has(name)) return value;
    if (name !== 'metadata') return mapTexts(value, map);
    return mapMembers(objectIn(value), (own, member) =>
      isShownMetadata(own) ? mapTexts(member, map) : member,
    );
  });
}

function mapTexts(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return map(value);
  if (Array.isArray(value)) return value.map((element) => mapTexts(element, map));
  if (!isObject(value)) return value;
  return mapMembers(value, (_, member) => mapTexts(member, map));
}

function mapMembers(object: Fields, map: (name: string, value: unknown) => unknown): Fields {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [name, map(name, value)]),
  );
}
