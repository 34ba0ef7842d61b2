import { isMap, type YAMLMap, type YAMLSeq } from 'yaml';
import { cannotEdit } from './cannot-edit.ts';
import type { Path } from './edit.ts';
import type { Splice } from './splice.ts';
import { dashOf, endOf, lineStart, nextLine, nodeOf, pairEnd, startOf } from './yaml-place.ts';

/**
 * Takes an item of a collection out: its lines where it has such of its own, with the comment behind it,
 * else its text and a comma. Lines of a comment alone stay.
 *
 * @param path What is said to be impossible where a comment would be lost.
 * @throws CannotEditError
 */
export function removeAt(
  text: string,
  collection: YAMLMap | YAMLSeq,
  index: number,
  path: Path,
): Splice {
  const isFlow = collection.flow === true;
  const spans = isMap(collection)
    ? collection.items.map((pair) => [startOf(nodeOf(pair.key)), pairEnd(pair)] as const)
    : collection.items.map((item, place) => {
        const node = nodeOf(item);
        return [isFlow ? startOf(node) : dashOf(text, collection, place), endOf(node)] as const;
      });
  const [span = [0, 0], next, previous] = [spans[index], spans[index + 1], spans[index - 1]];
  const [start, end] = span;
  const [from, to] = [lineStart(text, start), nextLine(text, end)];
  const without = { from, to, by: commentsOf(text.slice(from, to)) };
  if (!isFlow) return without;
  const before = text.slice(from, start);
  const [behind = '', comma] = /^[ \t]*(,?)[ \t]*(?:#.*)?\r?\n?/.exec(text.slice(end, to)) ?? [];
  if (before.trim() === '' && end + behind.length === to) {
    // The last one had no comma behind it; the one before it needs none then.
    const at = next === undefined && comma === '' ? text.indexOf(',', previous?.[1]) : from;
    return at < from && previous !== undefined
      ? { from: at, to, by: text.slice(at + 1, from) + without.by }
      : without;
  }
  const [first, last] =
    previous === undefined ? [start, next?.[0] ?? end] : ([previous[1], end] as const);
  if (text.slice(first, last).includes('#')) {
    throw cannotEdit(path, 'there are comments between it and what is next to it');
  }
  return { from: first, to: last, by: '' };
}

/** The lines that are comments alone. */
function commentsOf(lines: string): string {
  return lines
    .split(/(?<=\n)/)
    .filter((line) => /^[ \t]*#/.test(line))
    .join('');
}
