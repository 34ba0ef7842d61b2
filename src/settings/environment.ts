import { readFileSync } from 'node:fs';
import { nearestName } from './nearest-name.ts';
import { settingsSchema } from './schema.ts';
import { isSecret, settingsIn } from './schema-walk.ts';
import type { Mistake } from './settings-problem.ts';
import { kindOf, readValue, type ValueKind } from './written-value.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

interface Variable {
  /** Where it stands in the file. */
  path: readonly string[];
  kind: ValueKind;
  /** No message shows it, and it may also be read from the file that `NAME_FILE` names. */
  isSecret: boolean;
}

const ownPrefix = 'SIDECAR_';

/** Names that are known from elsewhere, or short, and the setting that each of them sets, too. */
const otherNames: readonly (readonly [name: string, path: string, kind?: ValueKind])[] = [
  ['SIDECAR_HOST', 'server.host'],
  ['SIDECAR_PORT', 'server.port'],
  ['SIDECAR_AUTH_TOKEN', 'server.authToken'],
  ['SIDECAR_DATA_DIR', 'journal.dir'],
  ['SIDECAR_REQUESTS_PER_SECOND', 'destination.requestsPerSecond'],
  ['SIDECAR_REPLICAS', 'destination.replicas'],
  ['MLFLOW_TRACKING_URI', 'destination.trackingUri'],
  ['MLFLOW_TRACKING_SERVER_NAME', 'destination.trackingServerName'],
  ['MLFLOW_TRACKING_USERNAME', 'destination.username'],
  ['MLFLOW_TRACKING_PASSWORD', 'destination.password'],
  ['MLFLOW_TRACKING_TOKEN', 'destination.token'],
  ['MLFLOW_EXPERIMENT_NAME', 'record.experiment'],
  // AWS's own name goes before LiteLLM's.
  ['AWS_DEFAULT_REGION', 'aws.region'],
  ['AWS_REGION_NAME', 'aws.region'],
  ['AWS_REGION', 'aws.region'],
  ['SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT', 'aws.mlflowEndpoint'],
  ['SAGEMAKER_MLFLOW_ASSUME_ROLE_ARN', 'aws.assumeRole', 'role'],
];

/**
 * The environment variables that set something. Every setting has one by its path: `journal.maxBytes` is
 * set by `SIDECAR_JOURNAL_MAX_BYTES`. Some have other names besides. Of those that set the same the last
 * one that is given counts, so that the one that is meant for the sidecar alone goes before all others.
 */
export const variables: ReadonlyMap<string, Variable> = new Map(allVariables());

function* allVariables(): Generator<[name: string, variable: Variable]> {
  const settings = [...settingsIn(settingsSchema)].map(({ path, schema }) => ({
    path,
    kind: kindOf(schema),
    isSecret: isSecret(schema),
  }));
  const byPath = new Map(settings.map((setting) => [setting.path.join('.'), setting]));
  for (const [name, path, kind] of otherNames) {
    const setting = byPath.get(path);
    if (setting !== undefined) yield [name, { ...setting, ...(kind && { kind }) }];
  }
  for (const setting of settings) yield [variableOf(setting.path), setting];
}

function variableOf(path: readonly string[]): string {
  const words = path.map((name) => name.replaceAll(/[A-Z]/g, '_$&').toUpperCase());
  return `${ownPrefix}${words.join('_')}`;
}

/** A value from the environment, and the variable that gave it. */
export interface GivenValue {
  variable: string;
  path: readonly string[];
  value: unknown;
}

/** What the environment sets, what is part of a mapping after that. An empty variable sets nothing. */
export function readEnvironment(environment: Environment): {
  values: GivenValue[];
  mistakes: Mistake[];
} {
  const values = new Map<string, GivenValue>();
  const mistakes: Mistake[] = [];
  for (const [variable, { path, kind, isSecret: canBeInFile }] of variables) {
    const direct = environment[variable] || undefined;
    const fileVariable = `${variable}_FILE`;
    const file = canBeInFile ? environment[fileVariable] || undefined : undefined;
    if (direct !== undefined && file !== undefined) {
      const allowed = `left out where ${variable} is set: one of them, not both`;
      mistakes.push({ at: path, problem: { path: fileVariable, value: file, allowed } });
      continue;
    }
    const text = file === undefined ? direct : readSecret(file);
    if (text === undefined) {
      if (file === undefined) continue;
      const allowed = 'a file that can be read';
      mistakes.push({ at: path, problem: { path: fileVariable, value: file, allowed } });
      continue;
    }
    const read = readValue(text, kind);
    const setting = path.join('.');
    if ('allowed' in read) {
      mistakes.push({ at: path, problem: { path: `${variable} (${setting})`, ...read } });
    } else {
      values.set(setting, { variable, path, value: read.value });
    }
  }
  return { values: [...values.values()], mistakes };
}

function readSecret(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** The files that secrets are read from. */
export function secretFiles(environment: Environment): string[] {
  return [...variables].flatMap(([variable, { isSecret: canBeInFile }]) => {
    const file = canBeInFile ? environment[`${variable}_FILE`] || undefined : undefined;
    return file === undefined ? [] : [file];
  });
}

/** Of the same prefix, but for others: where the settings are, and LiteLLM's end of the wire. */
const foreign: ReadonlySet<string> = new Set(['SIDECAR_CONFIG', 'SIDECAR_EVENTS_URL']);

/** A warning for each name that looks as if it were meant to set something, and does not. */
export function unknownVariables(environment: Environment): string[] {
  const read = new Set(
    [...variables].flatMap(([name, setting]) =>
      setting.isSecret ? [name, `${name}_FILE`] : [name],
    ),
  );
  const endings = [...read].flatMap((name) => name.split(ownPrefix)[1] ?? []);
  return Object.keys(environment)
    .filter((name) => name.startsWith(ownPrefix) && !foreign.has(name) && !read.has(name))
    .map((name) => {
      const nearest = nearestName(name.slice(ownPrefix.length), endings);
      const meant = nearest === undefined ? 'it misspelt' : `${ownPrefix}${nearest} meant`;
      return `${name} sets nothing; is ${meant}?`;
    });
}
