import { bytes, endOfString, type Slice } from '../../call/json-bytes.ts';

/** Where a text is cut, in bytes, and what stands there then. */
const longestText = 2_000;
const cutMark = Buffer.from('…"');
const backslash = 0x5c;

/**
 * A JSON value of at most `most` bytes: as it is where it fits, else with the beginnings of its long
 * texts, so that it keeps its shape; where that is not enough, its own beginning as one text.
 */
export function shortenJson(json: Buffer, value: Slice, most: number): string {
  if (value.end - value.start <= most) return json.toString('utf8', value.start, value.end);
  return withShortTexts(json, value, most) ?? JSON.stringify(`${beginning(json, value)}…`);
}

function withShortTexts(json: Buffer, value: Slice, most: number): string | undefined {
  const parts: Buffer[] = [];
  let length = 0;
  const add = (part: Buffer) => {
    parts.push(part);
    length += part.length;
  };
  for (let at = value.start; at < value.end && length <= most; ) {
    const quote = json.indexOf(bytes.quote, at);
    if (quote === -1 || quote >= value.end) {
      add(json.subarray(at, value.end));
      break;
    }
    const end = endOfString(json, quote);
    const cut = quote + 1 + longestText;
    if (end <= cut) add(json.subarray(at, end));
    else {
      add(json.subarray(at, wholeUntil(json, cut, quote + 1)));
      add(cutMark);
    }
    at = end;
  }
  return length > most ? undefined : Buffer.concat(parts).toString('utf8');
}

/** The last place up to `cut` that splits neither a character nor an escape. */
function wholeUntil(json: Buffer, cut: number, from: number): number {
  let place = cut;
  while (place > from && ((json[place] ?? 0) & 0xc0) === 0x80) place -= 1;
  // An escape is six bytes at the most: one that began before may reach over the cut.
  for (let at = place - 1; at >= from && at > place - 6; at -= 1) {
    if (json[at] !== backslash) continue;
    let first = at;
    while (first > from && json[first - 1] === backslash) first -= 1;
    const isEscape = (at - first) % 2 === 0;
    const length = json[at + 1] === 0x75 ? 6 : 2;
    return isEscape && at + length > place ? at : place;
  }
  return place;
}

function beginning(json: Buffer, { start }: Slice): string {
  const end = start + longestText;
  let place = end;
  while (place > start && ((json[place] ?? 0) & 0xc0) === 0x80) place -= 1;
  return json.toString('utf8', start, place);
}
