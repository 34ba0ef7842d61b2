import {
  isCollection,
  isMap,
  isPair,
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

/** Where the line after that of `at` begins; a block may end at that line already, before its first sign. */
export function nextLine(text: string, at: number): number {
  const start = lineStart(text, at);
  if (start > 0 && text.slice(start, at).trim() === '') return start;
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end + 1;
}

/** In which column `at` is, from 0 on; a byte order mark takes none. */
export function columnOf(text: string, at: number): number {
  return text.slice(lineStart(text, at), at).replace('\ufeff', '').length;
}

/** In which column the members of a mapping in block style are: that of their names, or of `?` before them. */
export function memberColumn(text: string, map: YAMLMap): number {
  const at = startOf(nodeOf(map.items[0]?.key));
  return columnOf(text, at) - (/\?[ ]+$/.exec(text.slice(0, at))?.[0].length ?? 0);
}

/** A line of a comment alone, its text from `#` on. */
const commentLine = /^( *)(#.*)/;

/**
 * Behind the comments from `at` on that belong to what is before them: those as far to the right as
 * `column` or farther, and in front of a line that is there too, only items that are switched off.
 *
 * @param at Where a line begins.
 */
export function behindComments(text: string, at: number, column: number): number {
  const lines = text.slice(at).split(/(?<=\n)/);
  const next = lines.find((line) => line.trim() !== '' && !commentLine.test(line)) ?? '';
  const isApart = /^ */.exec(next)?.[0].length !== column || next === '';
  let [end, reached] = [at, at];
  for (const line of lines) {
    reached += line.length;
    const [, { length: own } = '', comment = ''] = commentLine.exec(line) ?? [];
    if (comment === '' && line.trim() === '') continue;
    if (comment === '' || own < column) break;
    if (own === column && !isApart && !/^# *- /.test(comment)) break;
    end = reached;
  }
  return end;
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

/** Where a node's own text ends, before comments that follow: in block style, with its last member. */
export function endOf(node: Node | undefined): number {
  const last = isCollection(node) && node.flow !== true ? node.items.at(-1) : undefined;
  if (last === undefined) return node?.range?.[1] ?? 0;
  return isPair(last) ? pairEnd(last) : endOf(nodeOf(last));
}

/** Where a member of a mapping ends: with its value, or with its name where that has none. */
export function pairEnd({ key, value }: Pair): number {
  return Math.max(endOf(nodeOf(key)), endOf(nodeOf(value)));
}

export function pairNamed(map: YAMLMap, name: string | number | undefined): Pair | undefined {
  return map.items.find(({ key }) => isScalar(key) && String(key.value) === String(name));
}

/** The dash of an item in block style; the dashes of a list are below each other. */
export function dashOf(text: string, list: YAMLSeq, index: number): number {
  const column = columnOf(text, startOf(list));
  const dash = `\n${' '.repeat(column)}-`;
  const at = text.lastIndexOf(dash, startOf(nodeOf(list.items[index])));
  return index === 0 || at === -1 ? startOf(list) : at + dash.length - 1;
}

/** Whether comments may stand within a node: in a collection, or behind the head of a block scalar. */
export function hasComment(text: string, node: Node | undefined): boolean {
  const source = text.slice(startOf(node), endOf(node));
  return (isCollection(node) ? /(?:^|\s)#/ : /^[|>].*\s#/).test(source);
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
