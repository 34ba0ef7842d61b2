import { createCallStarts } from './call-starts.ts';
import {
  bytes,
  endOfValue,
  isSpace,
  lastNonSpace,
  type Slice,
  skipSpace,
  trimmed,
} from './json-bytes.ts';

/** What the bytes of a slice are: a call, other JSON, or no JSON. */
export type Look = (slice: Slice) => 'call' | 'json' | 'broken';

/**
 * How much may be read in vain, in bytes and in lengths of the body: a broken call hides where it
 * ends, so that its value is read to the end of the body. Beyond this, a broken value ends where the
 * next call seems to begin. `lookCost`: of one slice, in bytes, however short it is.
 */
const vainBytes = 4 * 1024 * 1024;
const vainLengths = 4;
const lookCost = 512;
/** The most slices behind a broken one that may turn out to be parts of it. */
const maxHeld = 1000;

/**
 * The elements of the array whose bracket stands before `from`, in their order.
 *
 * A broken call may seem to end too late, where it lacks a bracket or a quote, or too early, where
 * it has one too many. So a broken slice is cut where the next call begins, and is joined with the
 * broken slices behind it that do not begin as objects do: it costs itself alone.
 */
export function* splitArray(body: Buffer, from: number, look: Look): Generator<Slice> {
  const starts = createCallStarts(body);
  let budget = vainBytes + vainLengths * body.length;
  // A broken slice and those behind it that are no calls.
  let held: Slice[] = [];
  let position = skipSeparators(body, from);
  while (position < body.length && !isEnd(body, position)) {
    const next = starts.after(position);
    let slice = valueAt(body, position, budget > 0 ? body.length : next);
    const found = look(slice);
    if (found === 'call') starts.learn(slice);
    if (found === 'broken') {
      budget -= slice.end - slice.start + lookCost;
      if (slice.end > next || budget <= 0) slice = upToCall(body, position, next);
    }

    const [broken] = held;
    if (found === 'broken' && broken !== undefined && body[position] !== bytes.openBrace) {
      held = [{ start: broken.start, end: slice.end }];
    } else if (found === 'json' && broken !== undefined && held.length < maxHeld) {
      held.push(slice);
    } else {
      yield* held;
      held = found === 'broken' ? [slice] : [];
      if (found !== 'broken') yield slice;
    }
    position = skipSeparators(body, slice.end);
  }
  yield* held;
}

function valueAt(body: Buffer, position: number, limit: number): Slice {
  const slice = trimmed(body, position, endOfValue(body, position, limit));
  // A bracket that closes nothing.
  return slice.end === slice.start ? { start: position, end: position + 1 } : slice;
}

/** What stands between `position` and the call at `next`, without the comma. */
function upToCall(body: Buffer, position: number, next: number): Slice {
  const comma = next === body.length ? next : lastNonSpace(body, next - 1);
  return trimmed(body, position, comma);
}

/** Whether the array ends here: a bracket with something behind it is part of a broken call. */
function isEnd(body: Buffer, position: number): boolean {
  return body[position] === bytes.closeBracket && skipSpace(body, position + 1) === body.length;
}

function skipSeparators(body: Buffer, from: number): number {
  let position = from;
  while (body[position] === bytes.comma || isSpace(body[position])) position += 1;
  return position;
}
