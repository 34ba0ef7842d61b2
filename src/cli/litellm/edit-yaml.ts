import {
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { cannotEdit } from './cannot-edit.ts';
import { type Edit, edited, isMapping, meansSame, type Path, valueAt } from './edit.ts';
import { readYaml, UnreadableConfigError, type YamlFile } from './read-yaml.ts';
import { removeAt } from './remove-yaml.ts';
import { renderFlow, renderMember } from './render-yaml.ts';
import { applySplices, insertion, type Splice } from './splice.ts';
import {
  behindComments,
  columnOf,
  endOf,
  hasComment,
  isAbsent,
  lineEndOf,
  memberColumn,
  nextLine,
  nodeOf,
  pairEnd,
  pairNamed,
  placeOf,
  startOf,
} from './yaml-place.ts';

/**
 * Makes edits in the text of a configuration, all at once. All other lines stay as they are, byte for
 * byte. What comes out means what went in with the edits, and nothing else, or there is an error: a
 * mapping that is used in two places, by an anchor, is such a case, or two edits of the same place.
 *
 * @throws CannotEditError
 */
export function editFile(file: YamlFile, edits: readonly Edit[]): YamlFile {
  const splices = edits.map((edit) => spliceOf(file, edit));
  const text = applySplices(file.text, splices);
  try {
    const changed = text === undefined ? undefined : readYaml(text);
    if (changed !== undefined && meansSame(changed.value, edits.reduce(edited, file.value))) {
      return changed;
    }
  } catch (error) {
    if (!(error instanceof UnreadableConfigError)) throw error;
  }
  throw cannotEdit(edits[0]?.path ?? []);
}

/** Makes one edit in a text; the rest is as `editFile` has it. */
export function editYaml(text: string, edit: Edit): string {
  return editFile(readYaml(text), [edit]).text;
}

function spliceOf(file: YamlFile, edit: Edit): Splice {
  const { text, contents, value } = file;
  if (!isMap(contents)) {
    if (edit.kind === 'drop' || edit.kind === 'remove' || !isAbsent(nodeOf(contents))) {
      throw cannotEdit(edit.path, noMapping);
    }
    const [name = '', ...rest] = edit.path;
    const item = edit.kind === 'set' ? edit.value : [edit.item];
    return appendSection(text, name, nested(rest, item), 0);
  }
  const { at, rest } = placeOf(contents, edit.path);
  const isThere = rest.length === 1;
  switch (edit.kind) {
    case 'set':
      return set(text, contents, edit.path, edit.value);
    case 'add': {
      const list = isThere && isMap(at) ? pairNamed(at, rest[0])?.value : undefined;
      if (isSeq(list) && (list.items.length > 0 || hasComment(text, list))) {
        return addItem(text, list, edit.item);
      }
      const before = valueAt(value, edit.path) ?? [];
      const items = [...(Array.isArray(before) ? before : [before]), edit.item];
      return set(text, contents, edit.path, items);
    }
    case 'drop': {
      const list = isThere && isMap(at) ? pairNamed(at, rest[0])?.value : undefined;
      if (!isSeq(list)) throw cannotEdit(edit.path);
      const isItem = (one: unknown) => isScalar(one) && one.value === edit.item;
      return removeAt(text, list, list.items.findLastIndex(isItem), edit.path);
    }
    case 'remove': {
      const pair = isThere && isMap(at) ? pairNamed(at, rest[0]) : undefined;
      if (pair === undefined || !isMap(at)) throw cannotEdit(edit.path);
      return removeAt(text, at, at.items.indexOf(pair), edit.path);
    }
  }
}

const noMapping = 'what is there is no mapping';

/** A value within as many mappings as the path has steps. */
function nested(path: Path, value: unknown): unknown {
  return path.reduceRight((inner, step) => ({ [step]: inner }), value);
}

function set(text: string, root: YAMLMap, path: Path, value: unknown): Splice {
  const place = placeOf(root, path);
  const { at } = place;
  const [name, ...rest] = place.rest;
  if (name === undefined || !isMap(at)) throw cannotEdit(path, noMapping);
  const pair = pairNamed(at, name);
  const inner = nested(rest, value);
  if (pair === undefined) return addMember(text, at, name, inner, at === root);
  const [key, old] = [nodeOf(pair.key), nodeOf(pair.value)];
  if (isAbsent(old)) return fillMember(text, key, inner, at.flow === true);
  if (rest.length > 0 && !(isScalar(old) && old.value === null)) {
    throw cannotEdit(path, isAlias(old) ? undefined : noMapping);
  }
  if (hasComment(text, old)) throw cannotEdit(path, 'there are comments within what it is now');
  // In block style the value begins on a line of its own, which is no place for one on one line.
  const from = isCollection(old) && old.flow !== true ? endOf(key) : startOf(old);
  const before = from === startOf(old) ? '' : ': ';
  const end = text.slice(0, endOf(old)).trimEnd().length;
  return { from, to: Math.max(from, end), by: before + renderFlow(inner) };
}

/** Behind the last member, on a line of its own; a section of the file stands apart. */
function addMember(
  text: string,
  map: YAMLMap,
  name: string | number,
  value: unknown,
  isRoot: boolean,
): Splice {
  const last = map.items.at(-1);
  if (map.flow === true || last === undefined) {
    const member = `${renderFlow(name)}: ${renderFlow(value)}`;
    if (last === undefined) return insertion(startOf(map) + 1, ` ${member} `);
    return insertion(pairEnd(last), `, ${member}`);
  }
  const isEnded = /^(?:\.\.\.|---)/m.test(text.slice(nextLine(text, pairEnd(last))));
  const indent = memberColumn(text, map);
  if (isRoot && !isEnded) return appendSection(text, name, value, indent);
  return insertLines(
    text,
    behindComments(text, nextLine(text, pairEnd(last)), indent),
    renderMember(name, value, indent, lineEndOf(text)),
  );
}

/** A member that has a name already, and nothing behind it but what is switched off. */
function fillMember(text: string, key: Node | undefined, value: unknown, isFlow: boolean): Splice {
  const colon = text.indexOf(':', endOf(key));
  const [from, column] = [nextLine(text, colon), columnOf(text, startOf(key))];
  const isList = Array.isArray(value);
  const at = behindComments(text, from, isList ? column : column + 1);
  // As far to the right as what is switched off there.
  const off = (isList ? /^ *(?=# *- )/m : /^ +(?=#)/m).exec(text.slice(from, at))?.[0].length;
  if (isFlow || !(isMapping(value) || (isList && value.length > 0 && off !== undefined))) {
    return insertion(colon + 1, ` ${renderFlow(value)}`);
  }
  const indent = off ?? column + 2;
  const lines = isList
    ? value.map((item) => itemLine(text, indent, item))
    : Object.entries(value).map(([name, member]) =>
        renderMember(name, member, indent, lineEndOf(text)),
      );
  return insertLines(text, at, lines.join(''));
}

/** At the end of the file, apart from what is before it. */
function appendSection(
  text: string,
  name: string | number,
  value: unknown,
  indent: number,
): Splice {
  const lineEnd = lineEndOf(text);
  const apart = text.trim() === '' || /(?:^|\n)\r?\n$/.test(text) ? '' : lineEnd;
  const ended = text === '' || text.endsWith('\n') ? '' : lineEnd;
  return insertion(text.length, ended + apart + renderMember(name, value, indent, lineEnd));
}

/** Inserts lines where a line begins, or behind a last line that has no end. */
function insertLines(text: string, at: number, lines: string): Splice {
  const lineEnd = lineEndOf(text);
  if (at < text.length || text.endsWith('\n')) return insertion(at, lines);
  return insertion(text.length, lineEnd + lines.slice(0, -lineEnd.length));
}

/** Behind the last item; to an empty list, in front of the comments in it. */
function addItem(text: string, list: YAMLSeq, item: string): Splice {
  const last = nodeOf(list.items.at(-1));
  if (last === undefined) {
    return insertion(startOf(list) + 1, `${renderFlow(item)},`);
  }
  if (list.flow === true) return insertion(endOf(last), `, ${renderFlow(item)}`);
  const column = columnOf(text, startOf(list));
  const at = behindComments(text, nextLine(text, endOf(last)), column);
  return insertLines(text, at, itemLine(text, column, item));
}

function itemLine(text: string, indent: number, item: unknown): string {
  return `${' '.repeat(indent)}- ${renderFlow(item)}${lineEndOf(text)}`;
}
