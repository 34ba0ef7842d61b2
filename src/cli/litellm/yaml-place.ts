import {
  isCollection,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { Path } from './edit.ts';

/** What line ends a text has: those of its first line. */
export function lineEndOf(text: string): '\n' | '\r\n' {
  return /^[^\n]*\r\n/.test(text) ? '\r\n' : '\n';
}

/** Where the line of `at` begins. */
export function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1;
}

/** Where the line after that of `at` begins; a block scalar ends there already. */
export function nextLine(text: string, at: number): number {
  if (at > 0 && text[at - 1] === '\n') return at;
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end + 1;
}

/** In which column `at` is, from 0 on. */
export function columnOf(text: string, at: number): number {
  return at - lineStart(text, at);
}

export function nodeOf(value: unknown): Node | undefined {
  return isScalar(value) || isCollection(value) || hasSource(value) ? value : undefined;
}

function hasSource(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'source' in value && 'range' in value;
}

export function startOf(node: Node | undefined): number {
  return node?.range?.[0] ?? 0;
}

/** Where a node's own text ends: in block style behind its last line, before comments that follow. */
export function endOf(node: Node | undefined): number {
  return node?.range?.[1] ?? 0;
}

/** Where a member of a mapping ends: with its value, or with its name where that has none. */
export function pairEnd({ key, value }: Pair): number {
  return Math.max(endOf(nodeOf(key)), endOf(nodeOf(value)));
}

export function pairNamed(map: YAMLMap, name: string | number | undefined): Pair | undefined {
  return map.items.find(({ key }) => isScalar(key) && String(key.value) === String(name));
}

/** Whether a node stands for nothing, and takes no text: what is behind `callback_settings:`. */
export function isAbsent(node: Node | undefined): boolean {
  if (node === undefined) return true;
  return isScalar(node) && node.value === null && startOf(node) === endOf(node);
}

/** How far a path leads: the collection where it ends, and the steps that are not there. */
export interface Place {
  at: YAMLMap | YAMLSeq;
  /** The first of them may be there, and then is no collection. */
  rest: Path;
}

/** Follows a path from a mapping or list on. */
export function placeOf(from: YAMLMap | YAMLSeq, path: Path): Place {
  let at = from;
  for (const [index, step] of path.entries()) {
    const next = isMap(at) ? pairNamed(at, step)?.value : at.items[Number(step)];
    if (!(isMap(next) || isSeq(next)) || index === path.length - 1) {
      return { at, rest: path.slice(index) };
    }
    at = next;
  }
  return { at, rest: [] };
}
