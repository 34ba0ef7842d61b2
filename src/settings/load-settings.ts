import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { z } from 'zod';
import { contradictions, warningsOf } from './contradictions.ts';
import {
  type Environment,
  type GivenValue,
  readEnvironment,
  type SettingsProblem,
  secretFiles,
  unknownVariables,
  variables,
} from './environment.ts';
import { reconcileRole } from './role-from-environment.ts';
import { type Settings, settingsSchema } from './schema.ts';

export type LoadedSettings =
  | { kind: 'valid'; settings: Settings; file?: string; warnings: string[] }
  | { kind: 'invalid'; problems: SettingsProblem[]; file?: string };

/** The file that is read when `SIDECAR_CONFIG` names none, if it is there. */
const defaultFile = 'config/sidecar.yaml';

/**
 * Reads the settings: the file, then the environment over it. All mistakes are found at once.
 *
 * @param environment Such as `process.env`.
 */
export function loadSettings(environment: Environment): LoadedSettings {
  const named = environment['SIDECAR_CONFIG'] || undefined;
  const file = named ?? (existsSync(defaultFile) ? defaultFile : undefined);
  const fromFile = file === undefined ? { content: {} } : readFile(file);
  if ('problem' in fromFile)
    return { kind: 'invalid', problems: [fromFile.problem], ...(file !== undefined && { file }) };

  const { values: given, problems } = readEnvironment(environment);
  const { values, warnings } = reconcileRole(fromFile.content, given);
  const merged = overlay(fromFile.content, values);
  const parsed = settingsSchema.safeParse(merged);
  if (!parsed.success)
    problems.push(...parsed.error.issues.flatMap((issue) => toProblems(issue, merged, values)));
  if (parsed.success) problems.push(...contradictions(parsed.data));
  if (problems.length > 0 || !parsed.success) {
    return { kind: 'invalid', problems, ...(file !== undefined && { file }) };
  }
  return {
    kind: 'valid',
    settings: parsed.data,
    warnings: [...unknownVariables(environment), ...warnings, ...warningsOf(parsed.data)],
    ...(file !== undefined && { file }),
  };
}

/** The files that `loadSettings` reads, whether they are there or not. */
export function settingsFiles(environment: Environment): string[] {
  return [environment['SIDECAR_CONFIG'] || defaultFile, ...secretFiles(environment)];
}

type Content = Readonly<Record<string, unknown>>;

function readFile(file: string): { content: Content } | { problem: SettingsProblem } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return { problem: { path: 'SIDECAR_CONFIG', value: file, allowed: 'a file that can be read' } };
  }
  try {
    const content: unknown = parse(text) ?? {};
    if (isContent(content)) return { content };
    return { problem: { path: file, allowed: 'a mapping of sections, such as "server:"' } };
  } catch (error) {
    const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : '';
    return { problem: { path: file, allowed: `YAML (${message})` } };
  }
}

function isContent(value: unknown): value is Content {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function overlay(content: Content, values: GivenValue[]): Content {
  const merged: Record<string, unknown> = { ...content };
  for (const { path, value } of values) {
    const [section, name] = path;
    const current = merged[section] ?? {};
    // A section that is no mapping is left for the schema to complain about.
    if (isContent(current)) merged[section] = { ...current, [name]: value };
  }
  return merged;
}

const secretPaths: ReadonlySet<string> = new Set(
  [...variables.values()].filter(({ kind }) => kind === 'secret').map(({ path }) => path.join('.')),
);

function toProblems(
  issue: z.core.$ZodIssue,
  content: Content,
  values: GivenValue[],
): SettingsProblem[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...path, key].join('.'),
      allowed: 'no such setting; see config/sidecar.yaml for those there are',
    }));
  }
  const name = path.join('.');
  const given = values.findLast((value) => sets(value, name));
  const value: unknown = path.reduce<unknown>(
    (at, key) => (isContent(at) ? at[key] : Array.isArray(at) ? at[Number(key)] : undefined),
    content,
  );
  return [
    {
      path: given === undefined ? name : `${given.variable} (${name})`,
      value: secretPaths.has(name) ? '(hidden)' : shown(value),
      allowed:
        issue.code === 'invalid_type' && path.length === 1
          ? 'a mapping of settings'
          : issue.message,
    },
  ];
}

/** Whether a variable gave the setting of this path, or what it is a part of. */
function sets({ path }: GivenValue, name: string): boolean {
  const given = path.join('.');
  return name === given || name.startsWith(`${given}.`);
}

/**
 * A value as a message may show it: a URL without credentials, and not too long; of a list or a
 * mapping nothing, since it may hold a secret in a place where none belongs.
 */
function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  return (JSON.stringify(value) ?? 'nothing').replace(/(\/\/)?[^"/]+:.*@/, '$1***@').slice(0, 200);
}
