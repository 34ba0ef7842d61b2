import type { CallRecord } from '../call/call-record.ts';
import { type Fields, objectIn } from '../call/fields.ts';
import { parseCall } from '../call/parse-call.ts';
import { hashedBody, treatmentOf, withoutBody } from './body-treatment.ts';
import { type FieldNode, fieldTree, memberNode } from './field-tree.ts';
import { identitiesOf } from './identities.ts';
import { createKeyedHash } from './keyed-hash.ts';
import { maskPayload } from './mask-secrets.ts';
import { dropped, redactValue, type ValueRedaction } from './redact-value.ts';
import { type RedactionOptions, redactsByChoice } from './redaction-options.ts';
import { type TextPattern, textPatterns } from './text-patterns.ts';

/** A payload that holds nothing any more that may not be kept. */
export interface RedactedCall {
  payload: Fields;
  /** The call as it was: for its identity, numbers and kinds, never for its texts. */
  facts: CallRecord;
  /** What becomes of `call.json`: `payload`'s own, none by choice or for want of vetting, hashes. */
  body: 'kept' | 'dropped' | 'unvetted' | { hashes: object };
}

export type Redaction = (payload: Fields, receivedAt: number) => RedactedCall;

/** What is the same for a payload's whole. */
type PayloadRedaction = Omit<ValueRedaction, 'mentions' | 'payloads'>;

/** Compiles what the settings want to be redacted. Secrets of headers and errors always are. */
export function createRedaction(options: RedactionOptions): Redaction {
  const byChoice = redactsByChoice(options);
  const hash = createKeyedHash(options.hashKey ?? '');
  const patterns = textPatterns(options);
  const namePatterns = patterns && remembering(patterns);
  const tree = fieldTree(options.fields);

  return (original, receivedAt) => {
    const payload = withoutRepeatedError(maskPayload(original));
    const facts = parseCall(payload, receivedAt);
    const treatment = byChoice ? treatmentOf(options, facts) : 'keep';
    const values: PayloadRedaction = {
      keepBinary: options.keepBinary,
      patterns,
      namePatterns,
      identities: options.identities === 'hash' ? identitiesOf(payload, hash) : undefined,
      hash,
    };
    const remaining = treatment === 'keep' ? payload : withoutBody(payload);
    const redacted = redactPayload(values, remaining, tree);
    switch (treatment) {
      case 'keep':
        return { payload: redacted, facts, body: 'kept' };
      case 'drop':
        return { payload: redacted, facts, body: 'dropped' };
      case 'hash':
        return { payload: redacted, facts, body: { hashes: hashedBody(payload, hash) } };
    }
  };
}

/** The message that `error_str` repeats would outlive a rule for the other. */
function withoutRepeatedError(payload: Fields): Fields {
  const { error_str, ...rest } = payload;
  const { error_message } = objectIn(payload['error_information']);
  return typeof error_str === 'string' && error_str === error_message ? rest : payload;
}

function redactPayload(
  values: PayloadRedaction,
  payload: Fields,
  tree: FieldNode | undefined,
): Fields {
  const asked: ValueRedaction = { ...values, mentions: false, payloads: true };
  const around: ValueRedaction = { ...values, mentions: true, payloads: false };
  const nameOf = (name: string) =>
    ownName.test(name) ? name : (values.namePatterns?.(name) ?? name);
  const members = Object.entries(payload).map(([name, value]): [string, unknown] => {
    // It never reaches the disk; what a call cost is read from it.
    if (name === 'model_map_information') return [name, value];
    const redaction = name === 'messages' || name === 'response' ? asked : around;
    const node = tree && placeInBody(tree, name);
    // Some answer with nothing but vectors.
    const inEmbedding = name === 'response' && Array.isArray(value);
    return [nameOf(name), redactValue(redaction, value, { name, node, inEmbedding })];
  });
  return Object.fromEntries(members.filter(([, value]) => value !== dropped));
}

/** Names of LiteLLM's own payload; others were added by somebody, and are texts like any. */
const ownName = /^[A-Za-z_]{1,64}$/;

/** The rules for a member of the payload, by its place in `call.json`. */
function placeInBody(tree: FieldNode, name: string): FieldNode | undefined {
  if (name === 'response') return memberNode(tree, 'response');
  const section = name === 'messages' || name === 'model_parameters' ? 'request' : 'context';
  const around = memberNode(tree, section);
  const own = memberNode(around, name);
  return around?.action === undefined ? own : { members: new Map(), action: around.action };
}

/** Names that come again are looked up; there are never more than so many. */
const mostNames = 10_000;

function remembering(pattern: TextPattern): TextPattern {
  const known = new Map<string, string>();
  return (name) => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const after = pattern(name);
    if (known.size >= mostNames) known.clear();
    if (name.length <= 64) known.set(name, after);
    return after;
  };
}
