import type { Authorize } from './aws/authorizer.ts';
import { type CredentialSource, createCredentialSource } from './aws/credentials.ts';
import { type MlflowResource, mlflowEndpoint, mlflowResource } from './aws/mlflow-resource.ts';
import { createProvider } from './aws/provider.ts';
import { createServerClock, type ServerClock } from './aws/server-clock.ts';
import { serviceEndpoint } from './aws/service-endpoint.ts';
import { createSigV4 } from './aws/sigv4.ts';
import {
  controlPlane,
  describeTrackingServer,
  requestsPerSecondOf,
  type TrackingServerSize,
} from './aws/tracking-server.ts';
import { type SizeQuest, untilDescribed } from './aws/tracking-server-size.ts';
import { destinationSetting } from './settings/destination.ts';
import type { Settings } from './settings/schema.ts';

/** The MLflow that calls are recorded in, ready to be asked. */
export interface Destination {
  /** What progress is bound to: the URL, or the ARN. */
  identity: string;
  url: URL;
  authorize: Authorize;
  /** What it bears, in requests a second; absent where that is not known and not rationed. */
  bears: () => number | undefined;
}

/** What asks AWS: credentials, and the time by which they are good. Nothing is asked before it must be. */
export interface AwsAccess {
  credentials: CredentialSource;
  clock: ServerClock;
  /** Of S3 and STS. */
  region: string;
  /** The ARNs of those that are assumed, one by the other. */
  roles: readonly string[];
}

/** Where a region is not known, and one has to be named. */
const anyRegion = 'us-east-1';

export function awsAccess(settings: Settings): AwsAccess {
  const { aws } = settings;
  const setting = destinationSetting(settings);
  const named = setting.kind === 'arn' ? mlflowResource(setting.arn).region : aws.region;
  const clock = createServerClock(Date.now);
  const roles = aws.assumeRole.map(({ duration, ...role }) => ({
    ...role,
    durationSeconds: duration === undefined ? undefined : Math.round(duration / 1000),
  }));
  const credentials = createCredentialSource({
    fetch: createProvider({ region: named, roles }),
    now: clock.now,
    random: Math.random,
  });
  return {
    ...{ credentials, clock, region: named ?? anyRegion },
    roles: roles.map(({ roleArn }) => roleArn),
  };
}

/**
 * Finds the MLflow that the settings mean. A tracking server that is named is looked up; of one whose
 * ARN is known, only the size is asked for, and nothing waits for that.
 *
 * @param settings The settings of the moment, asked for what may change.
 * @param lookup How the size is asked for that nothing waits for; its end gives look-ups up, too.
 * @throws What `describeTrackingServer` throws, when a look-up fails.
 */
export async function findDestination(
  settings: () => Settings,
  access: AwsAccess,
  lookup: Omit<SizeQuest, 'describe'>,
): Promise<Destination> {
  const setting = destinationSetting(settings());
  switch (setting.kind) {
    case 'url':
      return {
        identity: setting.url.href,
        url: setting.url,
        authorize: plainly(() => authorizationOf(settings().destination)),
        bears: () => undefined,
      };
    case 'arn': {
      const resource = mlflowResource(setting.arn);
      let bears = smallest;
      if (resource.kind === 'mlflow-tracking-server') {
        void untilDescribed({
          ...lookup,
          describe: () => describe(resource.id, resource.region, access, lookup.over),
        }).then((found) => {
          bears = bearsOf(found?.size);
        });
      }
      return signedDestination(resource, settings(), access, () => bears);
    }
    case 'name': {
      const { name, region } = setting;
      const { arn, size } = await describe(name, region, access, lookup.over);
      const bears = bearsOf(size);
      return signedDestination(mlflowResource(arn), settings(), access, () => bears);
    }
  }
}

/** What a server of unknown size, or an app, is taken to bear. */
const smallest = requestsPerSecondOf.Small;

function bearsOf(size: TrackingServerSize | undefined): number {
  return size === undefined ? smallest : requestsPerSecondOf[size];
}

function describe(
  name: string,
  region: string,
  { credentials, clock }: AwsAccess,
  over: AbortSignal,
) {
  const endpoint = controlPlane(region, serviceEndpoint('SAGEMAKER', process.env));
  return describeTrackingServer(name, endpoint, credentials, clock, over);
}

function signedDestination(
  resource: MlflowResource,
  { aws }: Settings,
  { credentials, clock }: AwsAccess,
  bears: () => number,
): Destination {
  const endpoint = mlflowEndpoint(resource, aws.mlflowEndpoint);
  const authorize = createSigV4(endpoint, credentials, clock);
  return { identity: resource.arn, url: endpoint.url, authorize, bears };
}

/** Adds a header of the moment, or none. */
function plainly(authorization: () => string | undefined): Authorize {
  return async ({ path, headers }) => {
    const value = authorization();
    return {
      path,
      headers: value === undefined ? headers : { ...headers, authorization: value },
      refused: async () => false,
    };
  };
}

function authorizationOf(destination: Settings['destination']): string | undefined {
  const { token, username, password } = destination;
  if (token !== undefined) return `Bearer ${token}`;
  if (username === undefined) return undefined;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
