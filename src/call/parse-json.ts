import { randomUUID } from 'node:crypto';
import { mapStrings } from './json-strings.ts';

/**
 * `JSON.parse` for texts of others, without a fault that V8 has in Node 24 to 26
 * (https://github.com/nodejs/node/issues/63785): it takes a key with an escape for another one that an
 * object with the same keys before it had once, when that begins with the very letters of the escape.
 *
 * @throws SyntaxError where it is no JSON; its message quotes the text.
 * @throws RangeError where it is nested too deeply.
 */
export function parseJson(text: string): unknown {
  return escapedKey.test(text) ? parseWithNamesApart(text) : JSON.parse(text);
}

/** The last escape of a string before a colon. In a value that holds JSON, which holds JSON, it may be none. */
const escapedKey = /\\(?:u[\da-fA-F]{4}|.)[^"\\]*"\s*:/;

/**
 * Reads keys with an escape by themselves. Most are written without one then; in the place of the others
 * the object has names, one for each key.
 */
function parseWithNamesApart(text: string): unknown {
  const mark = randomUUID();
  const names = new Map<string, string>();
  const written = new Map<string, string>();
  const writtenAnew = (string: string): string => {
    const key: string = JSON.parse(string);
    const plain = JSON.stringify(key);
    if (!plain.includes('\\')) return plain;
    const name = names.get(key) ?? `${mark}.${names.size}`;
    names.set(key, name);
    return `"${name}"`;
  };
  const named = mapStrings(text, (string, isKey) => {
    if (!string.includes('\\') || !isKey()) return string;
    const known = written.get(string) ?? writtenAnew(string);
    written.set(string, known);
    return known;
  });
  const value: unknown = JSON.parse(named);
  const keys = new Map([...names].map(([key, name]) => [name, key]));
  return keys.size === 0 ? value : withKeys(value, keys);
}

function withKeys(value: unknown, keys: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((item) => withKeys(item, keys));
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value);
  return Object.fromEntries(
    members.map(([name, member]) => [keys.get(name) ?? name, withKeys(member, keys)]),
  );
}
