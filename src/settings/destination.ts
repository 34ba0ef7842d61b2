import { isArn } from './aws.ts';
import type { Settings } from './schema.ts';

/** Which MLflow the settings mean. */
export type DestinationSetting =
  | { kind: 'url'; url: URL }
  | { kind: 'arn'; arn: string }
  /** A tracking server of SageMaker, to be looked up by its name. */
  | { kind: 'name'; name: string; region: string };

/** Where an MLflow listens that was started without being told where. */
const localMlflow = 'http://127.0.0.1:5000';

/** A URI goes before a name; without either it is an MLflow on this machine. */
export function destinationSetting({ destination, aws }: Settings): DestinationSetting {
  const { trackingUri, trackingServerName: name } = destination;
  if (trackingUri === undefined && name !== undefined && aws.region !== undefined) {
    return { kind: 'name', name, region: aws.region };
  }
  const uri = trackingUri ?? localMlflow;
  return isArn(uri) ? { kind: 'arn', arn: uri } : { kind: 'url', url: new URL(uri) };
}
