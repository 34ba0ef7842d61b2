import { bytes, endOfString, endOfValue, type Slice, skipSpace } from '../../call/json-bytes.ts';

/**
 * The members of the object that begins at `object.start`, by name, as they stand in the bytes. What is
 * no object has none. A name with an escape in it is kept as it is written.
 */
export function membersOf(json: Buffer, object: Slice | undefined): Map<string, Slice> {
  const members = new Map<string, Slice>();
  if (object === undefined || json[object.start] !== bytes.openBrace) return members;
  let at = skipSpace(json, object.start + 1);
  while (at < object.end && json[at] === bytes.quote) {
    const behindName = endOfString(json, at);
    const name = json.toString('utf8', at + 1, behindName - 1);
    const start = skipSpace(json, skipSpace(json, behindName) + 1);
    const end = endOfValue(json, start, object.end);
    members.set(name, { start, end });
    at = skipSpace(json, end + 1);
  }
  return members;
}
