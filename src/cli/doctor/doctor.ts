import { errorName } from '../../aws/error-name.ts';
import { mlflowEndpoint, parseMlflowArn } from '../../aws/mlflow-resource.ts';
import { serviceEndpoint } from '../../aws/service-endpoint.ts';
import { controlPlane, describeTrackingServer } from '../../aws/tracking-server.ts';
import { systemClock } from '../../deliver/clock.ts';
import { type AwsAccess, awsAccess, type Destination, findDestination } from '../../destination.ts';
import { destinationSetting } from '../../settings/destination.ts';
import type { Environment } from '../../settings/environment.ts';
import { type LoadedSettings, loadSettings } from '../../settings/load-settings.ts';
import type { Settings } from '../../settings/schema.ts';
import { exitCodes } from '../exit-codes.ts';
import { oneConnection } from '../one-connection.ts';
import { print, printJson } from '../print.ts';
import { type Check, failure, ok, warning } from './check.ts';
import { checkDisk } from './check-disk.ts';
import { checkIdentity } from './check-identity.ts';
import { checkLitellm } from './check-litellm.ts';
import { checkPermissions, checkVersion } from './check-mlflow.ts';
import { checkClock, checkNetwork } from './check-network.ts';
import { checkRuns } from './check-runs.ts';
import { checkSettings } from './check-settings.ts';
import { checkStore, storesOf } from './check-store.ts';

export interface DoctorOptions {
  /** Puts a tiny object where files go in S3. */
  write: boolean;
  litellmConfig?: string;
  json: boolean;
}

/**
 * `doctor`: looks at all that a sidecar needs, and says what to do where something is not as it should be.
 *
 * @returns The exit code; wrong settings have one of their own.
 */
export async function doctor(environment: Environment, options: DoctorOptions): Promise<number> {
  const checks: Check[] = [];
  const loaded = loadSettings(environment);
  for await (const found of lookAtAll(loaded, environment, options)) {
    for (const check of found) {
      checks.push(check);
      if (!options.json) printCheck(check);
    }
  }
  const count = (result: Check['result']) => checks.filter((one) => one.result === result).length;
  const [failures, warnings] = [count('failure'), count('warning')];
  if (options.json) printJson({ ok: failures === 0, failures, warnings, checks });
  else
    print(`${counted(failures, 'failure')}, ${counted(warnings, 'warning')}, ${count('ok')} ok.`);
  if (loaded.kind === 'invalid') return exitCodes.settings;
  return failures === 0 ? exitCodes.ok : exitCodes.failure;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

const marks = { ok: 'ok     ', warning: 'WARNING', failure: 'FAILURE' } as const;

function printCheck({ result, name, detail, advice }: Check): void {
  print(
    `${marks[result]}  ${name}: ${detail}${advice === undefined ? '' : `\n         -> ${advice}`}`,
  );
}

/** Looks at one thing after the other; what another thing stands in the way of is left out. */
async function* lookAtAll(
  loaded: LoadedSettings,
  environment: Environment,
  { write, litellmConfig }: DoctorOptions,
): AsyncGenerator<Check[]> {
  yield checkSettings(loaded);
  if (loaded.kind === 'invalid') return;
  const { settings } = loaded;
  yield checkDisk(settings, systemClock.ticks);
  if (litellmConfig !== undefined) yield checkLitellm(litellmConfig, settings);
  yield await checkRuns(settings);

  const access = awsAccess(settings);
  const setting = destinationSetting(settings);
  if (setting.kind === 'url')
    yield [ok('credentials', `${plainCredentials(settings)}, by its URL`)];
  else {
    const identity = await checkIdentity(access, environment, Date.now());
    yield identity;
    if (identity.some(({ name, result }) => name === 'credentials' && result === 'failure')) return;
    yield [await checkSize(settings, access, environment)];
  }
  const destination = await find(settings, access);
  if (destination === undefined) return;
  const network = await checkNetwork(destination.url, Date.now());
  yield network;
  if (network.some(({ result }) => result === 'failure')) return;
  yield [await checkClock(destination.url, Date.now)];

  const transport = oneConnection(settings, destination);
  try {
    const asking = { settings, send: transport.send, now: Date.now };
    const permissions = await checkPermissions(asking);
    yield permissions;
    // No other was tried: this failure says nothing of permissions.
    if (permissions.length === 1) return;
    yield await checkVersion(asking);
    const kmsKeyId = settings.artifacts.kmsKeyId;
    const mlflowRegion = setting.kind === 'url' ? undefined : access.region;
    const places = await storesOf(asking);
    if (setting.kind === 'url' && places.some((place) => place.startsWith('s3://'))) {
      yield await checkIdentity(access, environment, Date.now());
    }
    for (const place of places) {
      yield [await checkStore(place, { access, environment, write, kmsKeyId, mlflowRegion })];
    }
    if (places.length === 0 && permissions[0]?.result === 'ok') {
      const { experiment } = settings.record;
      yield [
        ok(
          'artifacts',
          `where they go is known when ${experiment} has been made, by the first call`,
        ),
      ];
    }
  } finally {
    await transport.close();
  }
}

function plainCredentials({ destination }: Settings): string {
  if (destination.token !== undefined) return 'MLflow is asked with a token';
  return destination.username === undefined
    ? 'MLflow is asked without credentials'
    : `MLflow is asked as ${destination.username}`;
}

/** `undefined` where a server that is named could not be looked up, which `checkSize` says. */
async function find(settings: Settings, access: AwsAccess): Promise<Destination | undefined> {
  const setting = destinationSetting(settings);
  const over = new AbortController();
  const lookup = { onUnknown: () => undefined, sleep: systemClock.sleep, over: over.signal };
  const found = findDestination(() => settings, access, lookup);
  try {
    return setting.kind === 'name' ? await found.catch(() => undefined) : await found;
  } finally {
    over.abort();
  }
}

/** Asks SageMaker for the tracking server, which the sidecar can do without unless it knows its name alone. */
async function checkSize(
  settings: Settings,
  access: AwsAccess,
  environment: Environment,
): Promise<Check> {
  const setting = destinationSetting(settings);
  const resource = setting.kind === 'arn' ? parseMlflowArn(setting.arn) : undefined;
  if (resource?.kind === 'mlflow-app') {
    const { host } = mlflowEndpoint(resource, settings.aws.mlflowEndpoint).url;
    return ok('server', `an app, at ${host}; apps have no size`);
  }
  const name = setting.kind === 'name' ? setting.name : (resource?.id ?? '');
  const region = setting.kind === 'name' ? setting.region : (resource?.region ?? access.region);
  const endpoint = controlPlane(region, serviceEndpoint('SAGEMAKER', environment));
  const described = await describeTrackingServer(
    name,
    endpoint,
    access.credentials,
    access.clock,
  ).catch((error: unknown) => errorName(error));
  const title = 'server: DescribeMlflowTrackingServer';
  if (typeof described !== 'string') {
    return ok(title, `${name} is ${described.size ?? 'of unknown size'}; asked for it`);
  }
  const detail = `${name} in ${region} is not described (${described})`;
  if (/NotFound/.test(described)) {
    return failure(
      title,
      detail,
      'There is none of that name and region: "server list" shows those there are.',
    );
  }
  const advice = /AccessDenied|NotAuthorized/.test(described)
    ? 'Allow sagemaker:DescribeMlflowTrackingServer (config/iam): without it 25 requests a second are taken for what the server bears.'
    : 'Look at the network: without an answer 25 requests a second are taken for what the server bears.';
  return setting.kind === 'name' ? failure(title, detail, advice) : warning(title, detail, advice);
}
