import { isCollection, isMap, isScalar, isSeq, type Node, type YAMLMap, type YAMLSeq } from 'yaml';
import { type Edit, edited, meansSame, type Path, showPath, valueAt } from './edit.ts';
import { readYaml, UnreadableConfigError, type YamlFile } from './read-yaml.ts';
import { renderFlow, renderMember } from './render-yaml.ts';
import {
  columnOf,
  endOf,
  isAbsent,
  lineEndOf,
  lineStart,
  nextLine,
  nodeOf,
  pairEnd,
  pairNamed,
  placeOf,
  startOf,
} from './yaml-place.ts';

/** A place that is written in a way that cannot be changed alone; nothing was changed. */
export class CannotEditError extends Error {
  readonly code = 'CONFIG_NOT_EDITABLE';
}

/**
 * Makes one edit in the text of a configuration. All other lines stay as they are, byte for byte. What
 * comes out means what went in with the edit, and nothing else, or there is an error: a mapping that
 * is used in two places, by an anchor, is such a case.
 *
 * @throws CannotEditError
 */
export function editYaml(text: string, edit: Edit): string {
  const file = readYaml(text);
  const wanted = edited(file.value, edit);
  const changed = changeText(file, edit);
  try {
    if (meansSame(readYaml(changed).value, wanted)) return changed;
  } catch (error) {
    if (!(error instanceof UnreadableConfigError)) throw error;
  }
  throw cannotEdit(edit.path);
}

function cannotEdit(path: Path): CannotEditError {
  return new CannotEditError(
    `${showPath(path)} is written in a way that cannot be changed by itself (an anchor, an alias, a merge, or no mapping)`,
  );
}

/** Takes the place of the text from `from` to `to`. */
function splice(text: string, from: number, to: number, by: string): string {
  return text.slice(0, from) + by + text.slice(to);
}

function changeText(file: YamlFile, edit: Edit): string {
  const { text, contents, value } = file;
  if (!isMap(contents)) {
    if (edit.kind === 'drop' || edit.kind === 'remove') throw cannotEdit(edit.path);
    const [name = '', ...rest] = edit.path;
    const item = edit.kind === 'set' ? edit.value : [edit.item];
    return appendSection(text, name, nested(rest, item));
  }
  const { at, rest } = placeOf(contents, edit.path);
  const isThere = rest.length === 1;
  switch (edit.kind) {
    case 'set':
      return set(text, contents, edit.path, edit.value);
    case 'add': {
      const list = isThere && isMap(at) ? pairNamed(at, rest[0])?.value : undefined;
      if (isSeq(list) && list.items.length > 0) return addItem(text, list, edit.item);
      const before = valueAt(value, edit.path) ?? [];
      const items = [...(Array.isArray(before) ? before : [before]), edit.item];
      return set(text, contents, edit.path, items);
    }
    case 'drop': {
      const list = isThere && isMap(at) ? pairNamed(at, rest[0])?.value : undefined;
      if (!isSeq(list)) throw cannotEdit(edit.path);
      const isItem = (one: unknown) => isScalar(one) && one.value === edit.item;
      return removeAt(text, list, list.items.findLastIndex(isItem));
    }
    case 'remove': {
      const pair = isThere && isMap(at) ? pairNamed(at, rest[0]) : undefined;
      if (pair === undefined || !isMap(at)) throw cannotEdit(edit.path);
      return removeAt(text, at, at.items.indexOf(pair));
    }
  }
}

/** A value within as many mappings as the path has steps. */
function nested(path: Path, value: unknown): unknown {
  return path.reduceRight((inner, step) => ({ [step]: inner }), value);
}

function set(text: string, root: YAMLMap, path: Path, value: unknown): string {
  const place = placeOf(root, path);
  const { at } = place;
  const [name, ...rest] = place.rest;
  if (name === undefined || !isMap(at)) throw cannotEdit(path);
  const pair = pairNamed(at, name);
  const inner = nested(rest, value);
  if (pair === undefined) return addMember(text, at, name, inner, at === root);
  const [key, old] = [nodeOf(pair.key), nodeOf(pair.value)];
  if (isAbsent(old)) return fillMember(text, key, inner, at.flow === true);
  if (rest.length > 0 && !(isScalar(old) && old.value === null)) throw cannotEdit(path);
  // In block style the value begins on a line of its own, which is no place for one on one line.
  const from = isCollection(old) && old.flow !== true ? endOf(key) : startOf(old);
  const before = from === startOf(old) ? '' : ': ';
  const end = text[endOf(old) - 1] === '\n' ? endOf(old) - lineEndOf(text).length : endOf(old);
  return splice(text, from, end, before + renderFlow(inner));
}

/** Behind the last member, on a line of its own; a section of the file stands apart. */
function addMember(
  text: string,
  map: YAMLMap,
  name: string | number,
  value: unknown,
  isRoot: boolean,
): string {
  const last = map.items.at(-1);
  if (map.flow === true || last === undefined) {
    const member = `${renderFlow(name)}: ${renderFlow(value)}`;
    if (last === undefined) return splice(text, startOf(map) + 1, startOf(map) + 1, ` ${member} `);
    return splice(text, pairEnd(last), pairEnd(last), `, ${member}`);
  }
  const isEnded = /^(?:\.\.\.|---)/m.test(text.slice(nextLine(text, pairEnd(last))));
  if (isRoot && !isEnded) return appendSection(text, name, value);
  const indent = columnOf(text, startOf(nodeOf(map.items[0]?.key)));
  return insertLines(
    text,
    nextLine(text, pairEnd(last)),
    renderMember(name, value, indent, lineEndOf(text)),
  );
}

/** A member that has a name already, and nothing behind it. */
function fillMember(text: string, key: Node | undefined, value: unknown, isFlow: boolean): string {
  const colon = text.indexOf(':', endOf(key));
  if (isFlow || !isWithin(value)) {
    return splice(text, colon + 1, colon + 1, ` ${renderFlow(value)}`);
  }
  const indent = columnOf(text, startOf(key)) + 2;
  const lines = Object.entries(value).map(([name, member]) =>
    renderMember(name, member, indent, lineEndOf(text)),
  );
  return insertLines(text, nextLine(text, colon), lines.join(''));
}

function isWithin(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function appendSection(text: string, name: string | number, value: unknown): string {
  const lineEnd = lineEndOf(text);
  const apart = text.trim() === '' || /(?:^|\n)\r?\n$/.test(text) ? '' : lineEnd;
  const ended = text === '' || text.endsWith('\n') ? '' : lineEnd;
  return text + ended + apart + renderMember(name, value, 0, lineEnd);
}

/** Inserts lines where a line begins, or behind a last line that has no end. */
function insertLines(text: string, at: number, lines: string): string {
  const lineEnd = lineEndOf(text);
  if (at < text.length || text.endsWith('\n')) return splice(text, at, at, lines);
  return text + lineEnd + lines.slice(0, -lineEnd.length);
}

function addItem(text: string, list: YAMLSeq, item: string): string {
  const last = nodeOf(list.items.at(-1));
  if (list.flow === true) return splice(text, endOf(last), endOf(last), `, ${renderFlow(item)}`);
  const indent = ' '.repeat(columnOf(text, dashOf(text, last)));
  const line = `${indent}- ${renderFlow(item)}${lineEndOf(text)}`;
  return insertLines(text, nextLine(text, endOf(last)), line);
}

/** The dash of an item in block style. */
function dashOf(text: string, item: Node | undefined): number {
  return text.lastIndexOf('-', startOf(item) - 1);
}

/** Takes an item of a collection out: its lines in block style, else its text and a comma. */
function removeAt(text: string, collection: YAMLMap | YAMLSeq, index: number): string {
  const spans = collection.items.map((item): [start: number, end: number] => {
    const pair = isMap(collection) ? collection.items.find((one) => one === item) : undefined;
    if (pair !== undefined) return [startOf(nodeOf(pair.key)), pairEnd(pair)];
    const node = nodeOf(item);
    return [collection.flow === true ? startOf(node) : dashOf(text, node), endOf(node)];
  });
  const [[start, end] = [0, 0], next, previous] = [
    spans[index],
    spans[index + 1],
    spans[index - 1],
  ];
  if (collection.flow === true) {
    if (previous !== undefined) return splice(text, previous[1], end, '');
    return splice(text, start, next?.[0] ?? end, '');
  }
  return splice(text, lineStart(text, start), nextLine(text, end), '');
}
