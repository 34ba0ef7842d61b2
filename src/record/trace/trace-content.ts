import type { Slice } from '../../call/json-bytes.ts';
import { membersOf } from './json-members.ts';
import { shortenJson } from './shorten-json.ts';

/** What was asked and answered, as JSON. */
export interface TraceContent {
  inputs?: string;
  outputs?: string;
  /** They are beginnings. */
  isCut: boolean;
}

/** Up to so many bytes, inputs and outputs are whole; beyond, each is cut to half of it. */
const mostContent = 256 * 1024;

/**
 * Inputs and outputs of a trace out of the bytes of `call.json`: the messages with the model and its
 * parameters, as OpenAI's API takes them, and the response. The bytes are sliced, not parsed.
 *
 * MLflow shows a thousand characters of each in its lists, keeps the whole of both in its database, and
 * reads them with every trace: where a call is larger than 256 KB, long texts in it are cut to their
 * beginnings. The whole of it is in the call's run and in the archive.
 */
export function traceContent(body: Uint8Array, model: string | undefined): TraceContent {
  const json = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const members = membersOf(json, { start: 0, end: json.length });
  const request = membersOf(json, members.get('request'));
  const messages = said(json, request.get('messages'));
  const response = said(json, members.get('response'));
  const isCut = lengthOf(messages) + lengthOf(response) > mostContent;
  const most = isCut ? mostContent / 2 : mostContent;

  const asked: [name: string, value: string][] = [];
  if (model !== undefined) asked.push(['model', JSON.stringify(model)]);
  if (messages !== undefined) asked.push(['messages', shortenJson(json, messages, most)]);
  const taken = new Set(['model', 'messages']);
  let room = most;
  for (const [name, value] of membersOf(json, request.get('model_parameters'))) {
    room -= lengthOf(value) + name.length;
    // A name that is taken, or comes again, or a parameter beyond all measure, a schema for instance.
    if (taken.has(name) || room < 0) continue;
    taken.add(name);
    asked.push([name, json.toString('utf8', value.start, value.end)]);
  }
  const hasInputs = messages !== undefined || asked.length > 1;
  return {
    isCut: isCut || room < 0,
    ...(hasInputs && {
      inputs: `{${asked.map(([name, value]) => `"${name}":${value}`).join(',')}}`,
    }),
    ...(response !== undefined && { outputs: shortenJson(json, response, most) }),
  };
}

/** A value that says something: a call that failed has an empty response. */
function said(json: Buffer, value: Slice | undefined): Slice | undefined {
  if (value === undefined || value.end - value.start > 4) return value;
  const isEmpty = ['null', '{}', '[]', '""'].includes(
    json.toString('latin1', value.start, value.end),
  );
  return isEmpty ? undefined : value;
}

function lengthOf(value: Slice | undefined): number {
  return value === undefined ? 0 : value.end - value.start;
}
