import { createHash } from 'node:crypto';
import type { Fields } from '../call/fields.ts';

/*
 * Base64 and embedding vectors: large, unreadable, and what a person said or looks like all the
 * same. A stub says how much was there, and its hash joins what was equal.
 */

/** Numbers in a vector up to which it stays: examples and short lists are no embeddings. */
const shortVector = 64;
/** LiteLLM itself writes this where it has cut a payload. */
const cutByLitellm = '[base64_data truncated';
/** Members whose `data` is base64: OpenAI's audio, Gemini's inline data. */
const holdersOfData: ReadonlySet<string> = new Set([
  'input_audio',
  'audio',
  'inline_data',
  'inlineData',
]);
const base64Names: ReadonlySet<string> = new Set([
  'b64_json',
  'partial_image_b64',
  'file_data',
  'embedding',
]);

/** No part of it can begin within another, so a text is read once. */
const dataUri = /data:[\w.+/-]{0,255}(?:;[\w=.+-]{1,255}){0,8};base64,([\w+/=-]+)/g;

/** The stub for a text that a format has as base64; `holder`: the name of the object around it. */
export function base64Stub(
  name: string,
  text: string,
  within: Fields,
  holder: string,
): object | undefined {
  const isBase64 =
    base64Names.has(name) ||
    (name === 'data' && (holdersOfData.has(holder) || within['type'] === 'base64')) ||
    (name === 'result' && within['type'] === 'image_generation_call');
  if (!isBase64 || text === '' || text.includes(cutByLitellm)) return undefined;
  return stubOf(text.startsWith('data:') ? text.slice(text.indexOf(',') + 1) : text);
}

/** `text` with its data URIs cut out; a text that is nothing else becomes a stub. */
export function withoutDataUris(text: string): unknown {
  if (!text.includes(';base64,')) return text;
  const only = new RegExp(`^${dataUri.source}$`).exec(text)?.[1];
  if (only !== undefined) return stubOf(only);
  return text.replace(dataUri, (_, base64: string) => JSON.stringify(stubOf(base64)));
}

function stubOf(base64: string): object {
  const bytes = Buffer.from(base64, 'base64');
  return { redacted: 'base64', bytes: bytes.length, sha256: sha256(bytes) };
}

/** The stub for a long list of numbers; the hash is of its JSON. */
export function embeddingStub(list: readonly unknown[]): object | undefined {
  if (list.length <= shortVector || !list.every(isNumber)) return undefined;
  return { redacted: 'embedding', length: list.length, sha256: sha256(JSON.stringify(list)) };
}

/** The lenient reader leaves numbers that JSON cannot hold as texts. */
function isNumber(value: unknown): boolean {
  return (
    typeof value === 'number' || (typeof value === 'string' && /^-?(?:NaN|Infinity)$/.test(value))
  );
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
