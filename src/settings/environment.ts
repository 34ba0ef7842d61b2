import { readFileSync } from 'node:fs';

/** One mistake in the settings. */
export interface SettingsProblem {
  /** The setting's path in the file, or the environment variable's name. */
  path: string;
  /** The offending value; a secret's is never shown. */
  value?: string;
  /** What would be right. */
  allowed: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

interface Variable {
  /** Where it stands in the file. */
  path: readonly [section: string, name: string];
  kind: 'text' | 'number' | 'yes_or_no' | 'secret' | 'role';
}

/**
 * The environment variables that set something. MLflow's own names work as they are; a secret may
 * also be read from the file that `NAME_FILE` names.
 */
export const variables: ReadonlyMap<string, Variable> = new Map<string, Variable>([
  ['SIDECAR_HOST', { path: ['server', 'host'], kind: 'text' }],
  ['SIDECAR_PORT', { path: ['server', 'port'], kind: 'number' }],
  ['SIDECAR_AUTH_TOKEN', { path: ['server', 'authToken'], kind: 'secret' }],
  ['SIDECAR_DATA_DIR', { path: ['journal', 'dir'], kind: 'text' }],
  ['SIDECAR_JOURNAL_EPHEMERAL', { path: ['journal', 'ephemeral'], kind: 'yes_or_no' }],
  ['SIDECAR_SHUTDOWN_GRACE', { path: ['shutdown', 'grace'], kind: 'text' }],
  ['SIDECAR_ARCHIVE_URI', { path: ['archive', 'uri'], kind: 'text' }],
  ['SIDECAR_RECORD_RUNS', { path: ['record', 'runs'], kind: 'text' }],
  ['SIDECAR_RECORD_TRACES', { path: ['record', 'traces'], kind: 'text' }],
  ['SIDECAR_RECORD_CALLS', { path: ['record', 'calls'], kind: 'text' }],
  ['SIDECAR_RECORD_USAGE', { path: ['record', 'usage'], kind: 'text' }],
  ['SIDECAR_USAGE_INTERVAL', { path: ['usage', 'interval'], kind: 'number' }],
  ['SIDECAR_LOG_LEVEL', { path: ['log', 'level'], kind: 'text' }],
  ['SIDECAR_REQUESTS_PER_SECOND', { path: ['destination', 'requestsPerSecond'], kind: 'number' }],
  ['SIDECAR_REDACT_HASH_KEY', { path: ['redact', 'hashKey'], kind: 'secret' }],
  ['SIDECAR_REPLICAS', { path: ['destination', 'replicas'], kind: 'number' }],
  ['MLFLOW_TRACKING_URI', { path: ['destination', 'trackingUri'], kind: 'text' }],
  ['MLFLOW_TRACKING_SERVER_NAME', { path: ['destination', 'trackingServerName'], kind: 'text' }],
  ['MLFLOW_TRACKING_USERNAME', { path: ['destination', 'username'], kind: 'text' }],
  ['MLFLOW_TRACKING_PASSWORD', { path: ['destination', 'password'], kind: 'secret' }],
  ['MLFLOW_TRACKING_TOKEN', { path: ['destination', 'token'], kind: 'secret' }],
  ['MLFLOW_EXPERIMENT_NAME', { path: ['record', 'experiment'], kind: 'text' }],
  // The last one that is set counts: AWS's own name goes before LiteLLM's.
  ['AWS_DEFAULT_REGION', { path: ['aws', 'region'], kind: 'text' }],
  ['AWS_REGION_NAME', { path: ['aws', 'region'], kind: 'text' }],
  ['AWS_REGION', { path: ['aws', 'region'], kind: 'text' }],
  ['SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT', { path: ['aws', 'mlflowEndpoint'], kind: 'text' }],
  ['SAGEMAKER_MLFLOW_ASSUME_ROLE_ARN', { path: ['aws', 'assumeRole'], kind: 'role' }],
]);

/** A value from the environment, and the variable that gave it. */
export interface GivenValue {
  variable: string;
  path: readonly [section: string, name: string];
  value: string | number | boolean | readonly object[];
}

/** What the environment sets. An empty variable sets nothing. */
export function readEnvironment(environment: Environment): {
  values: GivenValue[];
  problems: SettingsProblem[];
} {
  const values: GivenValue[] = [];
  const problems: SettingsProblem[] = [];
  for (const [variable, { path, kind }] of variables) {
    const direct = environment[variable] || undefined;
    const file = kind === 'secret' ? environment[`${variable}_FILE`] || undefined : undefined;
    if (direct !== undefined && file !== undefined) {
      problems.push({
        path: `${variable}_FILE`,
        allowed: `one of ${variable} and ${variable}_FILE, not both`,
      });
      continue;
    }
    try {
      const text = file === undefined ? direct : readFileSync(file, 'utf8').trim();
      if (text !== undefined) values.push({ variable, path, value: readValue(text, kind) });
    } catch {
      problems.push({
        path: `${variable}_FILE`,
        value: String(file),
        allowed: 'a file that can be read',
      });
    }
  }
  return { values, problems };
}

/** The files that secrets are read from. */
export function secretFiles(environment: Environment): string[] {
  return [...variables].flatMap(([variable, { kind }]) => {
    const file = kind === 'secret' ? environment[`${variable}_FILE`] || undefined : undefined;
    return file === undefined ? [] : [file];
  });
}

/** Text that is no number stays text: the schema says what is wrong with it. */
function readValue(text: string, kind: Variable['kind']): GivenValue['value'] {
  if (kind === 'role') return [{ roleArn: text }];
  // What is neither is refused by the schema, which says what is allowed.
  if (kind === 'yes_or_no') return text === 'true' ? true : text === 'false' ? false : text;
  return kind === 'number' && text.trim() !== '' && !Number.isNaN(Number(text))
    ? Number(text)
    : text;
}

/** Of the same prefix, but for others: where the settings are, and LiteLLM's end of the wire. */
const foreign: ReadonlySet<string> = new Set(['SIDECAR_CONFIG', 'SIDECAR_EVENTS_URL']);

/** A warning for each name that looks as if it were meant to set something, and does not. */
export function unknownVariables(environment: Environment): string[] {
  return Object.keys(environment)
    .filter(
      (name) =>
        name.startsWith('SIDECAR_') &&
        !foreign.has(name) &&
        !variables.has(name) &&
        variables.get(name.replace(/_FILE$/, ''))?.kind !== 'secret',
    )
    .map((name) => `${name} sets nothing; is it misspelt?`);
}
