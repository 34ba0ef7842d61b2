import { parseMlflowArn } from '../aws/mlflow-resource.ts';
import { isArn, isAwsRegion } from './aws.ts';
import { destinationSetting } from './destination.ts';
import type { SettingsProblem } from './environment.ts';
import { needsHashKey } from './redact.ts';
import type { Settings } from './schema.ts';

/** STS lets a role that was assumed by a role last no longer, in milliseconds. */
const longestChained = 3_600_000;

/** What no setting can tell by itself. */
export function contradictions(settings: Settings): SettingsProblem[] {
  const { server, destination, aws, redact } = settings;
  const problems: SettingsProblem[] = [];
  if (server.maxInflightBytes < server.maxBodyBytes) {
    problems.push({
      path: 'server.maxInflightBytes',
      value: String(server.maxInflightBytes),
      allowed: `at least server.maxBodyBytes (${server.maxBodyBytes}), or no such body could ever be taken`,
    });
  }
  if (destination.token !== undefined && destination.username !== undefined) {
    problems.push({
      path: 'destination.token',
      value: '(hidden)',
      allowed: 'a token, or a user name and password, not both',
    });
  }
  if ((destination.username === undefined) !== (destination.password === undefined)) {
    problems.push({
      path: 'destination.username',
      allowed: 'a user name and a password, both or neither',
    });
  }
  if (settings.journal.ephemeral && settings.record.calls === 'off') {
    problems.push({
      path: 'record.calls',
      value: 'off',
      allowed: 'on where journal.ephemeral is true: what is pending at a stop is kept in chunks',
    });
  }
  if (redact.hashKey === undefined && needsHashKey(redact)) {
    problems.push({
      path: 'redact.hashKey',
      allowed: 'set where something is hashed; SIDECAR_REDACT_HASH_KEY sets it too',
    });
  }
  if (redact.url !== undefined && hasCredentials(new URL(redact.url))) {
    problems.push({ path: 'redact.url', value: '(hidden)', allowed: 'a URL without credentials' });
  }
  const { trackingUri = '', trackingServerName } = destination;
  if (trackingUri !== '' && !isArn(trackingUri) && !isPlace(trackingUri)) {
    problems.push({
      path: 'destination.trackingUri',
      value: '(hidden)',
      allowed:
        'a URL without credentials, query and fragment; MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD set the credentials',
    });
  }
  if (aws.mlflowEndpoint !== undefined && !isPlace(aws.mlflowEndpoint)) {
    problems.push({
      path: 'aws.mlflowEndpoint',
      value: '(hidden)',
      allowed: 'a URL without credentials, query and fragment: requests to it are signed',
    });
  }
  const resource = parseMlflowArn(trackingUri);
  const ofArn = resource?.kind === 'mlflow-tracking-server' ? resource.id : undefined;
  if (trackingServerName !== undefined && ofArn !== undefined && ofArn !== trackingServerName) {
    problems.push({
      path: 'destination.trackingServerName',
      value: trackingServerName,
      allowed: `the server that destination.trackingUri names: ${ofArn}`,
    });
  }
  const isNamed = trackingServerName !== undefined && trackingUri === '';
  if (isNamed && !hasMlflowIn(aws.region ?? '')) {
    problems.push({
      path: 'aws.region',
      ...(aws.region !== undefined && { value: aws.region }),
      allowed:
        'a region of the partitions aws or aws-us-gov, such as eu-west-1, where a tracking server is named; AWS_REGION sets it',
    });
  }
  aws.assumeRole.forEach(({ duration = 0 }, index) => {
    if (index === 0 || duration <= longestChained) return;
    problems.push({
      path: `aws.assumeRole.${index}.duration`,
      value: `${duration / 60_000}m`,
      allowed: 'at most 1h for a role that is assumed by a role',
    });
  });
  return problems;
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

/** What may be meant otherwise, though nothing is wrong. */
export function warningsOf(settings: Settings): string[] {
  const { destination, aws, artifacts } = settings;
  const setting = destinationSetting(settings);
  const warnings: string[] = [];
  const named = setting.kind === 'arn' ? parseMlflowArn(setting.arn)?.region : undefined;
  if (named !== undefined && aws.region !== undefined && aws.region !== named) {
    warnings.push(
      `the tracking URI's ARN is of ${named}: the region that is set, ${aws.region}, is not used`,
    );
  }
  const { username, token } = destination;
  if (setting.kind !== 'url' && (username ?? token) !== undefined) {
    warnings.push('user name, password and token are not used: requests to SageMaker are signed');
  }
  if (artifacts.kmsKeyId !== undefined && artifacts.upload === 'presigned') {
    warnings.push(
      'artifacts.kmsKeyId is not used: a presigned upload is encrypted as the bucket has it',
    );
  }
  if (setting.kind === 'url' && aws.mlflowEndpoint !== undefined) {
    warnings.push('aws.mlflowEndpoint is not used: MLflow is asked by its URL');
  }
  if (destination.trackingUri !== undefined && destination.trackingServerName !== undefined) {
    const isOfServer = parseMlflowArn(destination.trackingUri)?.kind === 'mlflow-tracking-server';
    if (!isOfServer) {
      warnings.push(
        'destination.trackingServerName is not used: destination.trackingUri counts, which is no ARN of a tracking server',
      );
    }
  }
  return warnings;
}
