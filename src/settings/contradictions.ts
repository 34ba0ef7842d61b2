import { isAwsRegion, parseMlflowArn } from '../aws/mlflow-resource.ts';
import { isArn } from './aws.ts';
import { needsHashKey } from './redact.ts';
import type { Settings } from './schema.ts';
import { hidden, type SettingsProblem, shown, unset } from './settings-problem.ts';

/** What no setting can tell by itself. */
interface Contradiction {
  /** The settings whose values it looks at; where one of them is not known it says nothing. */
  of: readonly string[];
  in(settings: Settings): SettingsProblem | readonly SettingsProblem[] | false | undefined;
}

/** STS lets a role that was assumed by a role last no longer, in milliseconds. */
const longestChained = 3_600_000;

const all: readonly Contradiction[] = [
  {
    of: ['server.maxInflightBytes', 'server.maxBodyBytes'],
    in: ({ server }) =>
      server.maxInflightBytes < server.maxBodyBytes && {
        path: 'server.maxInflightBytes',
        value: String(server.maxInflightBytes),
        allowed: `at least server.maxBodyBytes (${server.maxBodyBytes}), or no such body could ever be taken`,
      },
  },
  {
    of: ['destination.token', 'destination.username'],
    in: ({ destination: { token, username } }) =>
      token !== undefined &&
      username !== undefined && {
        path: 'destination.token',
        value: hidden,
        allowed: 'left out where destination.username is set: one of them, not both',
      },
  },
  {
    of: ['destination.username', 'destination.password'],
    in: ({ destination: { username, password } }) =>
      (username === undefined) !== (password === undefined) && {
        path: 'destination.username',
        value: shown(username),
        allowed: 'set with destination.password, both or neither',
      },
  },
  {
    of: ['journal.ephemeral', 'record.calls'],
    in: ({ journal, record }) =>
      journal.ephemeral &&
      record.calls === 'off' && {
        path: 'record.calls',
        value: shown('off'),
        allowed: 'on where journal.ephemeral is true: what is pending at a stop is kept in chunks',
      },
  },
  {
    of: ['redact.hashKey'],
    in: ({ redact }) =>
      redact.hashKey === undefined &&
      needsHashKey(redact) && {
        path: 'redact.hashKey',
        value: unset,
        allowed: 'set where something is hashed; SIDECAR_REDACT_HASH_KEY sets it too',
      },
  },
  {
    of: ['redact.url'],
    in: ({ redact: { url } }) =>
      url !== undefined &&
      hasCredentials(new URL(url)) && {
        path: 'redact.url',
        value: hidden,
        allowed: 'a URL without credentials',
      },
  },
  {
    of: ['destination.trackingUri'],
    in: ({ destination: { trackingUri: uri } }) =>
      uri !== undefined &&
      !isArn(uri) &&
      !isPlace(uri) && {
        path: 'destination.trackingUri',
        value: hidden,
        allowed:
          'a URL without credentials, query and fragment; MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD set the credentials',
      },
  },
  {
    of: ['aws.mlflowEndpoint'],
    in: ({ aws: { mlflowEndpoint: url } }) =>
      url !== undefined &&
      !isPlace(url) && {
        path: 'aws.mlflowEndpoint',
        value: hidden,
        allowed: 'a URL without credentials, query and fragment: requests to it are signed',
      },
  },
  {
    of: ['destination.trackingServerName', 'destination.trackingUri'],
    in: ({ destination: { trackingServerName: name, trackingUri } }) => {
      const resource = parseMlflowArn(trackingUri ?? '');
      const ofArn = resource?.kind === 'mlflow-tracking-server' ? resource.id : undefined;
      if (name === undefined || ofArn === undefined || ofArn === name) return undefined;
      return {
        path: 'destination.trackingServerName',
        value: shown(name),
        allowed: `the server that destination.trackingUri names: ${ofArn}`,
      };
    },
  },
  {
    of: ['destination.trackingServerName', 'destination.trackingUri', 'aws.region'],
    in: ({ destination: { trackingServerName, trackingUri }, aws: { region } }) =>
      trackingServerName !== undefined &&
      trackingUri === undefined &&
      !hasMlflowIn(region ?? '') && {
        path: 'aws.region',
        value: shown(region),
        allowed:
          'a region of the partitions aws or aws-us-gov, such as eu-west-1, where a tracking server is named; AWS_REGION sets it',
      },
  },
  {
    of: ['aws.assumeRole'],
    in: ({ aws }) =>
      aws.assumeRole.flatMap(({ duration = 0 }, index) =>
        index === 0 || duration <= longestChained
          ? []
          : {
              path: `aws.assumeRole.${index}.duration`,
              value: `${duration / 60_000}m`,
              allowed: 'at most 1h for a role that is assumed by a role',
            },
      ),
  },
];

/**
 * Settings that do not go together.
 *
 * @param isKnown Whether the setting of a path has the value that it was given: of one that could not be
 * read, whose default stands in for it, nothing is said.
 */
export function contradictions(
  settings: Settings,
  isKnown: (path: string) => boolean,
): SettingsProblem[] {
  return all
    .filter(({ of }) => of.every(isKnown))
    .flatMap((contradiction) => contradiction.in(settings) || []);
}

/** By the region's name, since no ARN tells its partition. */
function hasMlflowIn(region: string): boolean {
  return isAwsRegion(region) && !/^(cn|us-iso[a-z]*|eu-isoe|eusc)-/.test(region);
}

/** By the parser that the requests go by: of credentials there are more spellings than one sees. */
function hasCredentials({ username, password }: URL): boolean {
  return username !== '' || password !== '';
}

/** Whether a URL says where something is, and no more. */
function isPlace(given: string): boolean {
  const url = new URL(given);
  return !hasCredentials(url) && url.search === '' && url.hash === '';
}
