import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { contradictions } from './contradictions.ts';
import {
  type Environment,
  type GivenValue,
  readEnvironment,
  secretFiles,
  unknownVariables,
} from './environment.ts';
import { allowedElse, explainIssues } from './explain-issues.ts';
import { reconcileRole } from './role-from-environment.ts';
import { type Settings, settingsSchema } from './schema.ts';
import type { Mistake, SettingsProblem } from './settings-problem.ts';
import { warningsOf } from './warnings.ts';

export type LoadedSettings =
  | {
      kind: 'valid';
      settings: Settings;
      file?: string;
      /** Whether there is a file, and it says something. */
      isInFile: boolean;
      warnings: string[];
    }
  | { kind: 'invalid'; problems: SettingsProblem[]; file?: string };

/** The file that is read when `SIDECAR_CONFIG` names none, if it is there. */
const defaultFile = 'config/sidecar.yaml';

/**
 * Reads the settings: the file, then the environment over it. All mistakes are found at once.
 *
 * @param environment Such as `process.env`.
 * @param wasInFile Whether the file said something when it was last read. One that says nothing any more
 *   is a mistake then: it was cut short, or is being written, and what it kept back would go out.
 */
export function loadSettings(environment: Environment, wasInFile = false): LoadedSettings {
  const named = environment['SIDECAR_CONFIG'] || undefined;
  const file = named ?? (existsSync(defaultFile) ? defaultFile : undefined);
  const read = file === undefined ? missing : readFile(file);
  const { content, isEmpty } = read;
  const problem =
    isEmpty && wasInFile ? lost(file ?? defaultFile, file === undefined) : read.problem;

  const given = readEnvironment(environment);
  const { values, warnings } = reconcileRole(content, given.values);
  const merged = overlay(content, values);
  const parsed = settingsSchema.safeParse(merged, { error: allowedElse });
  const mistakes = [
    ...given.mistakes,
    ...(parsed.success ? [] : explainIssues(parsed.error.issues, merged, values)),
  ];
  // What stands in for a setting with a mistake, or of a file that cannot be read, contradicts nothing.
  const wrong = new Set(mistakes.map(({ at }) => at.slice(0, 2).join('.')));
  const isKnown = (path: string) =>
    !wrong.has(path) &&
    !wrong.has(path.split('.')[0] ?? '') &&
    (problem === undefined || values.some((value) => value.path.join('.') === path));
  const sound = parsed.success ? parsed : settingsSchema.safeParse(without(merged, mistakes));
  const problems = [
    ...(problem === undefined ? [] : [problem]),
    ...mistakes.map((mistake) => mistake.problem),
    ...(sound.success ? contradictions(sound.data, isKnown) : []),
  ];
  if (problems.length > 0 || !parsed.success) {
    return { kind: 'invalid', problems, ...(file !== undefined && { file }) };
  }
  return {
    kind: 'valid',
    settings: parsed.data,
    warnings: [...unknownVariables(environment), ...warnings, ...warningsOf(parsed.data)],
    isInFile: !isEmpty,
    ...(file !== undefined && { file }),
  };
}

/** The files that `loadSettings` reads, whether they are there or not. */
export function settingsFiles(environment: Environment): string[] {
  return [environment['SIDECAR_CONFIG'] || defaultFile, ...secretFiles(environment)];
}

type Content = Readonly<Record<string, unknown>>;

interface ReadFile {
  /** What a file says, which is nothing where there is a problem with all of it. */
  content: Content;
  /** It may hold comments. */
  isEmpty: boolean;
  problem?: SettingsProblem;
}

const missing: ReadFile = { content: {}, isEmpty: true };

function lost(file: string, isGone: boolean): SettingsProblem {
  return {
    path: file,
    value: isGone ? 'gone' : 'empty',
    allowed: 'as it was, or hold new settings; {} in it stands for the defaults',
  };
}

function readFile(file: string): ReadFile {
  const wrong = (path: string, value: string, allowed: string) => ({
    ...{ content: {}, isEmpty: false },
    problem: { path, value, allowed },
  });
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return wrong('SIDECAR_CONFIG', file, 'a file that can be read');
  }
  try {
    const content: unknown = parse(text) ?? undefined;
    if (content === undefined) return missing;
    if (isContent(content)) return { content, isEmpty: false };
    const value = Array.isArray(content) ? 'a list' : 'a single value';
    return wrong(file, value, 'a mapping of sections, such as "server:"');
  } catch (error) {
    const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : '';
    return wrong(file, 'broken', `YAML (${message})`);
  }
}

function isContent(value: unknown): value is Content {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function overlay(content: Content, values: readonly GivenValue[]): Content {
  return values.reduce((merged, { path, value }) => withValue(merged, path, value), content);
}

function withValue(
  content: Content,
  [name = '', ...rest]: readonly string[],
  value: unknown,
): Content {
  if (rest.length === 0) return { ...content, [name]: value };
  const current = content[name] ?? {};
  // A section that is no mapping is left for the schema to complain about.
  return isContent(current) ? { ...content, [name]: withValue(current, rest, value) } : content;
}

/** All but the settings with mistakes, in whose place their defaults are. */
function without(content: Content, mistakes: readonly Mistake[]): Content {
  return mistakes.reduce((left, { at: [section = '', name] }) => {
    const { [section]: inSection, ...others } = left;
    if (name === undefined || !isContent(inSection)) return others;
    const { [name]: _, ...rest } = inSection;
    return { ...others, [section]: rest };
  }, content);
}
