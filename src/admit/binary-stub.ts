import { createHash } from 'node:crypto';
import type { Fields } from '../call/fields.ts';
import { endAt, replaced, type Span, viewOf } from './text-view.ts';

/*
 * Base64 and embedding vectors: large, unreadable, and what a person said or looks like all the
 * same. A stub says how much was there, and its hash joins what was equal.
 */

/** Numbers in a vector up to which it stays: examples and short lists are no embeddings. */
const shortVector = 64;
/** What LiteLLM itself leaves where it has cut a payload, as the whole of a text. */
const cutByLitellm = /^[^[]{0,256}\[base64_data truncated[^\]]{0,64}\]$/;
/** Members whose `data` or `bytes` is base64: OpenAI's audio, Gemini's inline data, Bedrock's images. */
const holdersOfData: ReadonlySet<string> = new Set([
  'input_audio',
  'audio',
  'inline_data',
  'inlineData',
  'source',
]);
const base64Names: ReadonlySet<string> = new Set([
  'b64_json',
  'partial_image_b64',
  'file_data',
  'embedding',
  'bytesBase64Encoded',
]);

/** The head of a data URI. No part of it can begin within another, so a text is read once. */
const dataUri = /data:[\w.+/-]{0,255}(?:;[^;:,\s]{1,255}){0,8};base64,/gi;

// Nothing follows the repetitions here: to go back in them takes memory for each character.
const base64Run = /[\w+/=%-]+/y;
const white = /\s{1,4}/y;
/** A line of base64 that is not the last one has so many characters; MIME has 76, PEM 64. */
const shortestLine = 40;
const longestLine = 1000;
const shortestBase64 = 256;

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
    (name === 'bytes' && holdersOfData.has(holder)) ||
    (name === 'result' && within['type'] === 'image_generation_call');
  if (!isBase64 || text === '' || cutByLitellm.test(text)) return undefined;
  return stubOf(/^data:/i.test(text) ? text.slice(text.indexOf(',') + 1) : text);
}

/**
 * The stub for a text that is nothing but base64, by its look: long, and with capitals, small letters
 * and digits, as any payload has.
 */
export function bareBase64Stub(text: string): object | undefined {
  if (text.length < shortestBase64) return undefined;
  const end = endOfBase64(text, 0);
  if (
    end < shortestBase64 ||
    text.slice(end).trim() !== '' ||
    !/^[^=%]*={0,2}$/.test(text.slice(-80).trim())
  )
    return undefined;
  return /[A-Z]/.test(text) && /[a-z]/.test(text) && /\d/.test(text) ? stubOf(text) : undefined;
}

/**
 * Where the base64 ends that begins at `start`, in one line or in lines of which the last may be
 * short; a word in the line below is none.
 */
function endOfBase64(text: string, start: number): number {
  let end = endAt(base64Run, text, start) ?? start;
  for (let width = end - start; width >= shortestLine; ) {
    const next = endAt(white, text, end);
    const stop = next && endAt(base64Run, text, next);
    if (next === undefined || stop === undefined) break;
    const isLast = stop - next < shortestLine;
    const isLine = /[\r\n]/.test(text.slice(end, next)) && width <= longestLine;
    const isClosed = text[stop - 1] === '=' || /^[\r\n"'`)\]}>,]?$/.test(text.charAt(stop));
    if (isLast && !(isLine && isClosed)) break;
    width = isLast ? 0 : stop - next;
    end = stop;
  }
  return end;
}

/** `text` with its data URIs cut out; a text that is nothing else becomes a stub. */
export function withoutDataUris(text: string): unknown {
  if (!/;base64,/i.test(text)) return text;
  const view = viewOf(text);
  const spans: Span[] = [];
  for (const { index, 0: head } of view.text.matchAll(dataUri)) {
    const start = index + head.length;
    const end = endOfBase64(view.text, start);
    if (end === start) continue;
    const stub = stubOf(view.text.slice(start, end));
    if (index === 0 && view.text.slice(end).trim() === '') return stub;
    // Without quotes: the text around may be JSON.
    const instead = `[base64 of ${stub.bytes} bytes, sha256 ${stub.sha256}]`;
    spans.push({ start: index, end, instead });
  }
  return spans.length === 0 ? text : replaced(view, spans);
}

function stubOf(base64: string): { redacted: string; bytes: number; sha256: string } {
  const plain = base64.includes('%')
    ? base64.replace(/%2f/gi, '/').replace(/%2b/gi, '+').replace(/%3d/gi, '=')
    : base64;
  const bytes = Buffer.from(plain, 'base64');
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
