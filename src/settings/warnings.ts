import { parseMlflowArn } from '../aws/mlflow-resource.ts';
import { destinationSetting } from './destination.ts';
import type { Settings } from './schema.ts';

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
