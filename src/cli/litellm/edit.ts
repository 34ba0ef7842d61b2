import { isDeepStrictEqual } from 'node:util';

/** Where a value is in a configuration: names of members and places in lists. */
export type Path = readonly (string | number)[];

/** A change of a configuration. */
export type Edit =
  /** A member becomes this value; what is missing on the way to it is made. */
  | { kind: 'set'; path: Path; value: unknown }
  /** A list gets one more item; what is no list becomes one, with what was there before it. */
  | { kind: 'add'; path: Path; item: string }
  /** A list loses an item: the last one that is the same. */
  | { kind: 'drop'; path: Path; item: string }
  /** A mapping loses a member. */
  | { kind: 'remove'; path: Path };

/** A path as people write it: `model_list.0.litellm_params`. */
export function showPath(path: Path): string {
  return path.join('.');
}

/** The value at a path, `undefined` where there is none. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, step) => {
    if (Array.isArray(at)) return typeof step === 'number' ? at[step] : undefined;
    return isMapping(at) && Object.hasOwn(at, step) ? at[step] : undefined;
  }, value);
}

/** Whether a value is a mapping, as YAML has them. */
export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a configuration means after an edit; the one given stays as it is. */
export function edited(value: unknown, edit: Edit): unknown {
  const { path } = edit;
  switch (edit.kind) {
    case 'set':
      return withValue(value, path, edit.value);
    case 'add':
      return withValue(value, path, [...listAt(value, path), edit.item]);
    case 'drop': {
      const list = listAt(value, path);
      return withValue(value, path, list.toSpliced(list.lastIndexOf(edit.item), 1));
    }
    case 'remove': {
      const [parent, name] = [path.slice(0, -1), String(path.at(-1))];
      const { [name]: _, ...rest } = mappingAt(value, parent);
      return withValue(value, parent, rest);
    }
  }
}

/** Whether two configurations mean the same: an empty mapping is as good as none. */
export function meansSame(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(withoutEmpty(one), withoutEmpty(other));
}

/** The items of a list; a single value is a list of one, nothing a list of none. */
export function listAt(value: unknown, path: Path): unknown[] {
  const found = valueAt(value, path) ?? [];
  return Array.isArray(found) ? found : [found];
}

/** The members of a mapping; what is no mapping has none. */
export function mappingAt(value: unknown, path: Path): Readonly<Record<string, unknown>> {
  const found = valueAt(value, path);
  return isMapping(found) ? found : {};
}

function withValue(value: unknown, [step, ...rest]: Path, to: unknown): unknown {
  if (step === undefined) return to;
  if (Array.isArray(value) && typeof step === 'number') {
    return value.with(step, withValue(value[step], rest, to));
  }
  const members = isMapping(value) ? value : {};
  return { ...members, [step]: withValue(members[step], rest, to) };
}

function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (!isMapping(value)) return value;
  const members = Object.entries(value).map(([name, member]) => [name, withoutEmpty(member)]);
  return members.length === 0 ? null : Object.fromEntries(members);
}
