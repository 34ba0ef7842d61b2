import {
  hasMlflow,
  isAwsRegion,
  parseMlflowArn,
  trackingServerName,
} from '../../aws/mlflow-resource.ts';
import { destinationSetting } from '../../settings/destination.ts';
import type { Settings } from '../../settings/schema.ts';
import { exitCodes } from '../exit-codes.ts';

/** The tracking server or app that a command is about. */
export type Target =
  | { kind: 'mlflow-tracking-server'; name: string; region: string }
  | { kind: 'mlflow-app'; arn: string; region: string };

/** There is none; the words and the exit code to say so with. */
export interface NoTarget {
  kind: 'none';
  text: string;
  code: number;
}

/**
 * Which tracking server or app is meant.
 *
 * @param given A tracking server's name, or an ARN; without it, that of the settings.
 */
export function targetOf(settings: Settings, given?: string): Target | NoTarget {
  if (given !== undefined) return givenTarget(settings, given);
  const setting = destinationSetting(settings);
  switch (setting.kind) {
    case 'url':
      return {
        kind: 'none',
        text: `The settings name an MLflow at ${setting.url.href}, which is not SageMaker's to look after. Name a tracking server: as an argument, or by MLFLOW_TRACKING_URI (its ARN) or MLFLOW_TRACKING_SERVER_NAME and AWS_REGION.`,
        code: exitCodes.usage,
      };
    case 'name':
      return { kind: 'mlflow-tracking-server', name: setting.name, region: setting.region };
    case 'arn':
      return ofArn(setting.arn);
  }
}

/** The region that commands about no resource ask: that of the ARN, or that which is set. */
export function regionOf(settings: Settings): string | NoTarget {
  const setting = destinationSetting(settings);
  const region = setting.kind === 'arn' ? parseMlflowArn(setting.arn)?.region : settings.aws.region;
  return region !== undefined && isAwsRegion(region) ? region : noRegion;
}

const noRegion: NoTarget = {
  kind: 'none',
  text: 'There is no region: set AWS_REGION (aws.region), such as eu-west-1, or name the server by its ARN.',
  code: exitCodes.settings,
};

function givenTarget(settings: Settings, given: string): Target | NoTarget {
  if (parseMlflowArn(given) !== undefined) return ofArn(given);
  if (!trackingServerName.test(given)) {
    return {
      kind: 'none',
      text: `"${given}" is neither the name of a tracking server (1 to 256 letters, digits and hyphens) nor the ARN of a tracking server or app.`,
      code: exitCodes.usage,
    };
  }
  const region = regionOf(settings);
  return typeof region === 'string'
    ? { kind: 'mlflow-tracking-server', name: given, region }
    : region;
}

function ofArn(arn: string): Target | NoTarget {
  const resource = parseMlflowArn(arn);
  if (resource === undefined) return noRegion;
  const { kind, id, region, partition } = resource;
  if (!hasMlflow(partition)) {
    return {
      kind: 'none',
      text: `${arn} is in the partition ${partition}; SageMaker's MLflow is in aws and aws-us-gov.`,
      code: exitCodes.usage,
    };
  }
  return kind === 'mlflow-app' ? { kind, arn, region } : { kind, name: id, region };
}
