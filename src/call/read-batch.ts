import { type Fields, isObject } from './fields.ts';
import { parseLenientJson } from './lenient-json.ts';
import { type Slice, splitBody } from './split-body.ts';

/** Why something that was posted is not a call. */
export type UnusableReason =
  | 'not_json'
  | 'broken_json'
  | 'null'
  | 'not_an_object'
  | 'not_a_litellm_call'
  | 'legacy_payload';

/** One element of a batch, in its order. */
export type BatchElement =
  | { kind: 'call'; slice: Slice; payload: Fields }
  | { kind: 'unusable'; slice: Slice; reason: UnusableReason };

/**
 * Reads a posted body element by element; what one of them is never touches another. A body that is
 * no JSON at all is one unusable element, an empty one has none.
 */
export function readBatch(body: Buffer): BatchElement[] {
  const read = new Map<string, BatchElement>();
  const readOnce = (slice: Slice): BatchElement => {
    const key = `${slice.start}:${slice.end}`;
    const known = read.get(key);
    if (known !== undefined) return known;
    const element = readElement(body, slice);
    read.set(key, element);
    return element;
  };

  const split = splitBody(body, (slice) => {
    const element = readOnce(slice);
    if (element.kind === 'call') return 'call';
    return element.reason === 'broken_json' ? 'broken' : 'json';
  });
  switch (split.format) {
    case 'empty':
      return [];
    case 'not_json':
      return [{ kind: 'unusable', slice: { start: 0, end: body.length }, reason: 'not_json' }];
    default:
      return split.slices.map(readOnce);
  }
}

function readElement(body: Buffer, slice: Slice): BatchElement {
  let value: unknown;
  try {
    value = parseLenientJson(body.toString('utf8', slice.start, slice.end));
  } catch {
    return { kind: 'unusable', slice, reason: 'broken_json' };
  }
  if (isObject(value)) {
    const reason = whyNoCall(value);
    return reason === undefined
      ? { kind: 'call', slice, payload: value }
      : { kind: 'unusable', slice, reason };
  }
  return { kind: 'unusable', slice, reason: value === null ? 'null' : 'not_an_object' };
}

/**
 * A standard logging payload has `litellm_call_id` or `id`, and says how the call ended. LiteLLM's
 * `generic_api_use_v1` posts another shape, in which everything is text.
 */
function whyNoCall(payload: Fields): UnusableReason | undefined {
  if ('litellm_call_id' in payload || ('id' in payload && 'status' in payload)) {
    return typeof payload['metadata'] === 'string' ? 'legacy_payload' : undefined;
  }
  return 'not_a_litellm_call';
}
