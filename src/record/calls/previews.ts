import { beginningOf, isObject, objectIn } from '../../call/fields.ts';
import type { Previews } from './columns.ts';

/** Characters of a preview. */
const longest = 300;

/** Larger bodies have no preview: to parse one would stop everything else for too long. In bytes. */
export const largestPreviewed = 256 * 1024;

/**
 * The beginnings of what a user said last and of what the model answered, from a call's `call.json`.
 * What they cannot be found in has none.
 */
export function previewsOf(body: Uint8Array): Previews {
  const { request, response } = objectIn(parsed(body));
  const prompt = shortened(promptIn(objectIn(request)['messages']));
  const answer = shortened(answerIn(response));
  return { ...(prompt !== undefined && { prompt }), ...(answer !== undefined && { answer }) };
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Of messages the last of a user, else the last one; an embedding's input may be a text by itself. */
function promptIn(messages: unknown): string | undefined {
  if (!Array.isArray(messages)) return textOf(messages);
  const said = messages.findLast((message) => objectIn(message)['role'] === 'user');
  return textOf(said ?? messages.at(-1));
}

/** Chat and text completions have `choices`, OpenAI's responses `output`, Anthropic's `content`. */
function answerIn(response: unknown): string | undefined {
  const { choices, output, content } = objectIn(response);
  const choice = objectIn(Array.isArray(choices) ? choices[0] : undefined);
  return textOf(choice['message'] ?? choice['text'] ?? output ?? content ?? response);
}

/** The text in a message, a part of one, or a list of them. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) {
    const texts = value.map(textOf).filter((text) => text !== undefined && text !== '');
    return texts.length === 0 ? undefined : texts.join(' ');
  }
  return isObject(value) ? textOf(value['text'] ?? value['content']) : undefined;
}

function shortened(text: string | undefined): string | undefined {
  const line = text?.replace(/\s+/g, ' ').trim();
  return line === undefined || line === '' ? undefined : beginningOf(line, longest);
}
