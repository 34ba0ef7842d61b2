import { type Fields, isObject } from '../call/fields.ts';
import { bareBase64Stub, base64Stub, embeddingStub, withoutDataUris } from './binary-stub.ts';
import { type FieldNode, memberNode } from './field-tree.ts';
import type { Identities } from './identities.ts';
import type { KeyedHash } from './keyed-hash.ts';
import { mask } from './mask-secrets.ts';
import type { TextPattern } from './text-patterns.ts';

/** What is taken out of a value on the way through it; what is absent takes nothing. */
export interface ValueRedaction {
  keepBinary: boolean;
  patterns: TextPattern | undefined;
  /** The same patterns for the names of members, which are few and come again. */
  namePatterns: TextPattern | undefined;
  identities: Identities | undefined;
  /** Whether texts here may mention a person in passing, as errors and headers do. */
  mentions: boolean;
  /** Whether a text here that is nothing but base64 is a payload, whatever it is called. */
  payloads: boolean;
  hash: KeyedHash;
}

/** What a rule put in the place of a value that it drops. */
export const dropped = Symbol('dropped');

/** Whole numbers from here on are looked at as texts: a card's number may have come as one. */
const leastCardNumber = 1e12;

/** Members whose value is a person, also where it is a number. */
const identityNames: ReadonlySet<string> = new Set([
  'user_api_key_user_id',
  'user_api_key_user_email',
  'user_api_key_end_user_id',
  'end_user',
  'user',
]);

/** LiteLLM packs what it has to know again into ids, as base64 of any length. */
const idName = /(?:^|_)id$|Id$/;

/** Where a value stands: the name of the member that it is or, in a list, that the list is. */
export interface Place {
  name: string;
  /** The rules for it. */
  node: FieldNode | undefined;
  inEmbedding: boolean;
}

/**
 * `value` without what is to go, in one pass: rules by path, persons, binary payloads, patterns. What
 * nothing was found in is the same object as before, not a copy.
 *
 * @throws RangeError for a value that is nested beyond the stack.
 */
export function redactValue(redaction: ValueRedaction, value: unknown, place: Place): unknown {
  const action = place.node?.action;
  if (action !== undefined) {
    if (action === 'drop') return dropped;
    if (value === null || value === undefined) return value;
    return action === 'mask' ? mask : redaction.hash(value);
  }
  if (typeof value === 'string') return redactText(redaction, value, place.name);
  if (typeof value === 'number') return redactNumber(redaction, value, place.name);
  if (Array.isArray(value)) return redactList(redaction, value, place);
  return isObject(value) ? redactObject(redaction, value, place) : value;
}

function redactText(redaction: ValueRedaction, text: string, name: string): unknown {
  const { identities, mentions, patterns, keepBinary, payloads } = redaction;
  const person = identities?.whole(text);
  if (person !== undefined) return person;
  const stub = payloads && !keepBinary && !idName.test(name) ? bareBase64Stub(text) : undefined;
  if (stub !== undefined) return stub;
  const readable = keepBinary ? text : withoutDataUris(text);
  if (typeof readable !== 'string') return readable;
  const anonymous = mentions && identities ? identities.mentioned(readable) : readable;
  return patterns === undefined ? anonymous : patterns(anonymous);
}

function redactNumber(redaction: ValueRedaction, number: number, name: string): unknown {
  if (redaction.identities !== undefined && identityNames.has(name)) {
    return redaction.identities.whole(String(number)) ?? number;
  }
  if (redaction.patterns === undefined || Math.abs(number) < leastCardNumber) return number;
  if (!Number.isInteger(number)) return number;
  const text = String(number);
  const without = redaction.patterns(text);
  return without === text ? number : without;
}

function redactList(redaction: ValueRedaction, list: readonly unknown[], place: Place): unknown {
  if (place.inEmbedding && !redaction.keepBinary) {
    const stub = embeddingStub(list);
    if (stub !== undefined) return stub;
  }
  const inside: Place = { ...place, node: place.node?.anyElement };
  let changed: unknown[] | undefined;
  for (let index = 0; index < list.length; index += 1) {
    const before = list[index];
    const after = redactValue(redaction, before, inside);
    if (after === before && changed === undefined) continue;
    changed ??= list.slice(0, index);
    if (after !== dropped) changed.push(after);
  }
  return changed ?? list;
}

function redactObject(redaction: ValueRedaction, object: Fields, place: Place): unknown {
  const { keepBinary } = redaction;
  const names = Object.keys(object);
  let changed: [string, unknown][] | undefined;
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index] ?? '';
    const before = object[name];
    const stub =
      keepBinary || typeof before !== 'string'
        ? undefined
        : base64Stub(name, before, object, place.name);
    const node = place.node && memberNode(place.node, name);
    const after =
      stub !== undefined && node?.action === undefined
        ? stub
        : redactValue(redaction, before, {
            name,
            node,
            inEmbedding: place.inEmbedding || name === 'embedding' || name === 'embeddings',
          });
    const newName = redactName(redaction, name);
    if (after === before && newName === name && changed === undefined) continue;
    changed ??= names.slice(0, index).map((same) => [same, object[same]]);
    if (after !== dropped) changed.push([newName, after]);
  }
  return changed === undefined ? object : Object.fromEntries(withOwnNames(changed));
}

/** Names are texts too: metadata may have an address as a name. */
function redactName(redaction: ValueRedaction, name: string): string {
  const { identities, mentions, namePatterns } = redaction;
  const person = identities?.whole(name);
  if (person !== undefined) return person;
  const anonymous = mentions && identities ? identities.mentioned(name) : name;
  return namePatterns === undefined ? anonymous : namePatterns(anonymous);
}

/** Names that became the same are numbered, so that no value hides another. */
function withOwnNames(entries: [string, unknown][]): [string, unknown][] {
  const all = new Set(entries.map(([name]) => name));
  if (all.size === entries.length) return entries;
  const counts = new Map<string, number>();
  return entries.map(([name, value]) => {
    let count = (counts.get(name) ?? 0) + 1;
    while (count > 1 && all.has(`${name}_${count}`)) count += 1;
    counts.set(name, count);
    return [count === 1 ? name : `${name}_${count}`, value];
  });
}
