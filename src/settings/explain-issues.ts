import type { z } from 'zod';
import type { GivenValue } from './environment.ts';
import { nearestName } from './nearest-name.ts';
import { settingsSchema } from './schema.ts';
import { asWritten, isSecret, membersOf, schemaAt } from './schema-walk.ts';
import { hidden, type Mistake, shown } from './settings-problem.ts';

/** What is allowed where the schema itself does not say it: of all mappings with names of their own. */
export const allowedElse: z.core.$ZodErrorMap = ({ code, expected }) =>
  code === 'invalid_type' && expected === 'object' ? 'a mapping of settings' : undefined;

/**
 * The mistakes that the schema found.
 *
 * @param content What it was given: the file with the environment over it.
 * @param values What the environment gave.
 */
export function explainIssues(
  issues: readonly z.core.$ZodIssue[],
  content: unknown,
  values: readonly GivenValue[],
): Mistake[] {
  const mistakes = new Map<string, Mistake>();
  const add = (at: readonly string[], value: string, allowed: string) => {
    const problem = { path: named(at, values), value, allowed };
    // One value may fail several checks that allow the same.
    mistakes.set(JSON.stringify([at, allowed]), { at, problem });
  };
  for (const issue of issues) {
    const at = issue.path.map(String);
    if (issue.code !== 'unrecognized_keys') {
      const schema = schemaAt(settingsSchema, at);
      const isHidden = schema !== undefined && isSecret(schema);
      add(at, isHidden ? hidden : shown(valueAt(content, at)), issue.message);
      continue;
    }
    for (const name of issue.keys) {
      const path = [...at, name];
      const { value, allowed } = unknownSetting(at, name, valueAt(content, path));
      add(path, value, allowed);
    }
  }
  return [...mistakes.values()];
}

/** Its value may be a secret, unless it was most likely meant for a setting that is none. */
function unknownSetting(at: readonly string[], name: string, value: unknown) {
  const schema = schemaAt(settingsSchema, at);
  const members = (schema && membersOf(schema)) ?? {};
  const nearest = nearestName(name, Object.keys(members));
  const meant = nearest === undefined ? undefined : members[nearest];
  const isHarmless =
    typeof value === 'object' || (meant !== undefined && isPlain(meant) && !isSecret(meant));
  const advice =
    nearest === undefined
      ? 'config/sidecar.yaml has those there are'
      : `is ${[...at, nearest].join('.')} meant?`;
  return {
    value: isHarmless ? shown(value) : hidden,
    allowed: `left out: there is no such setting; ${advice}`,
  };
}

/** Whether it takes a text, a number or the like. */
function isPlain(schema: z.core.$ZodType): boolean {
  return !['object', 'array', 'record'].includes(asWritten(schema)._zod.def.type);
}

/** The path, behind the variable that gave what stands there, or what that is a part of. */
function named(at: readonly string[], values: readonly GivenValue[]): string {
  const given = values.findLast(({ path }) => path.every((step, index) => step === at[index]));
  const path = at.join('.');
  return given === undefined ? path : `${given.variable} (${path})`;
}

function valueAt(content: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, step) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, step)
        ? Reflect.get(at, step)
        : undefined,
    content,
  );
}
