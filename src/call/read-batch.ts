import { type Fields, isObject } from './fields.ts';
import { countParts, type Slice } from './json-bytes.ts';
import { parseLenientJson } from './lenient-json.ts';
import { splitBody } from './split-body.ts';

/** Why something that was posted is not a call. */
export type UnusableReason =
  | 'not_json'
  | 'broken_json'
  | 'null'
  | 'not_an_object'
  | 'not_a_litellm_call'
  | 'legacy_payload'
  | 'too_large'
  | 'too_deep'
  | 'too_many_unusable';

/** One element of a batch, in its order. */
export type BatchElement =
  | { kind: 'call'; slice: Slice; payload: Fields }
  | { kind: 'unusable'; slice: Slice; reason: UnusableReason };

/** So many elements of a body may be unusable by themselves; what follows them is one more. */
const maxUnusable = 10_000;

/**
 * Reads a posted body element by element; what one of them is never touches another. A body that is
 * no JSON at all is one unusable element, an empty one has none. Each element is read when it is asked
 * for, so that only one of a large batch need be in memory.
 */
export function* readBatch(body: Buffer): Generator<BatchElement> {
  let last: BatchElement | undefined;
  // Most slices are asked for twice in a row: by the split and for the batch.
  const read = (slice: Slice): BatchElement => {
    if (last?.slice.start !== slice.start || last.slice.end !== slice.end) {
      last = readElement(body, slice);
    }
    return last;
  };

  const split = splitBody(body, (slice) => {
    const element = read(slice);
    if (element.kind === 'call') return 'call';
    return element.reason === 'broken_json' ? 'broken' : 'json';
  });
  if (split.format === 'empty') return;
  if (split.format === 'not_json') {
    yield unusable(0, body.length, 'not_json');
    return;
  }
  let count = 0;
  for (const slice of split.slices) {
    const element = read(slice);
    if (element.kind === 'unusable') count += 1;
    if (count > maxUnusable) {
      yield unusable(slice.start, body.length, 'too_many_unusable');
      return;
    }
    yield element;
  }
}

/** Bytes of a call. */
const longestCall = 64 * 1024 * 1024;
/**
 * Objects, lists and strings of a call. Parsed, JSON of small parts takes many times its length of
 * memory, some 100 to 200 bytes a part; the probabilities of 16,000 tokens, each with twenty
 * alternatives, are 1.9 million.
 */
const mostParts = 2_000_000;
/** Bytes in which there cannot be so many. */
const fewParts = 2 * mostParts;

function unusable(start: number, end: number, reason: UnusableReason): BatchElement {
  return { kind: 'unusable', slice: { start, end }, reason };
}

function isTooLarge(body: Buffer, slice: Slice): boolean {
  const length = slice.end - slice.start;
  return length > longestCall || (length > fewParts && countParts(body, slice) > mostParts);
}

function readElement(body: Buffer, slice: Slice): BatchElement {
  if (isTooLarge(body, slice)) return { kind: 'unusable', slice, reason: 'too_large' };
  let value: unknown;
  try {
    value = parseLenientJson(body.toString('utf8', slice.start, slice.end));
  } catch (error) {
    const reason = error instanceof RangeError ? 'too_deep' : 'broken_json';
    return { kind: 'unusable', slice, reason };
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
 * A standard logging payload has `litellm_call_id`, or in older versions `id` and `startTime`: items
 * of an answer, which a broken call may leave behind, have an `id` and a `status` of their own.
 * LiteLLM's `generic_api_use_v1` posts another shape, in which everything is text.
 */
function whyNoCall(payload: Fields): UnusableReason | undefined {
  if ('litellm_call_id' in payload || ('id' in payload && 'startTime' in payload)) {
    return typeof payload['metadata'] === 'string' ? 'legacy_payload' : undefined;
  }
  return 'not_a_litellm_call';
}
