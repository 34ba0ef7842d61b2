import { type Fields, objectIn } from '../call/fields.ts';
import type { KeyedHash } from './keyed-hash.ts';

/** The people of a call, whose names become hashes wherever they stand. */
export interface Identities {
  /** The hash of a text that is one of them. */
  whole(text: string): string | undefined;
  /** `text` with those that it mentions replaced. */
  mentioned(text: string): string;
}

/** A shorter name would be found in words that have nothing to do with it. */
const shortestMentioned = 3;

/** User, end user and e-mail of a call; absent when there are none. */
export function identitiesOf(payload: Fields, hash: KeyedHash): Identities | undefined {
  const metadata = objectIn(payload['metadata']);
  const values = [
    metadata['user_api_key_user_id'],
    metadata['user_api_key_user_email'],
    metadata['user_api_key_end_user_id'],
    payload['end_user'],
    objectIn(payload['model_parameters'])['user'],
  ];
  const names = new Set(values.filter(isName).map(String));
  if (names.size === 0) return undefined;
  const hashes = new Map([...names].map((name) => [name, hash(name)]));
  // The longest first: an e-mail address may begin with the name of its owner.
  const mentions = [...hashes]
    .filter(([name]) => name.length >= shortestMentioned)
    .sort(([one], [other]) => other.length - one.length);
  return {
    whole: (text) => hashes.get(text),
    mentioned: (text) => mentions.reduce(replaceMentions, text),
  };
}

function isName(value: unknown): value is string | number {
  return (typeof value === 'string' && value !== '') || typeof value === 'number';
}

/** Every place where the name stands by itself; within a longer word it is another word. */
function replaceMentions(text: string, [name, hash]: readonly [string, string]): string {
  let at = text.indexOf(name);
  if (at === -1) return text;
  let result = '';
  let done = 0;
  for (; at !== -1; at = text.indexOf(name, at + 1)) {
    if (at < done || isWord(text.charAt(at - 1)) || isWord(text.charAt(at + name.length))) continue;
    result += text.slice(done, at) + hash;
    done = at + name.length;
  }
  return result + text.slice(done);
}

function isWord(character: string): boolean {
  return /[\p{L}\p{N}]/u.test(character);
}
