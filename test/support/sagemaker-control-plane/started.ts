import type { TestContext } from 'node:test';
import { DescribeMlflowTrackingServerCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { type ControlPlaneOptions, startControlPlane } from './control-plane.ts';

export interface TestOptions extends Partial<ControlPlaneOptions> {
  /** By how much the client's clock is off, where the control plane has one of its own. */
  readonly systemClockOffset?: () => number;
}

/** A control plane and Amazon's own client of it, until the test ends. */
export async function startWithClient(
  t: TestContext,
  { systemClockOffset, ...options }: TestOptions = {},
) {
  const plane = await startControlPlane({
    credentials: (id) =>
      id === 'ASIAOPERATOR'
        ? { secretAccessKey: 's', sessionToken: 't', allowed: ['sagemaker:*'] }
        : undefined,
    ...options,
  });
  t.after(plane.close);
  const client = newClient(t, plane.url);
  if (systemClockOffset !== undefined) client.config.systemClockOffset = systemClockOffset();
  /** Status and activity of the tracking server `logs`. */
  const look = async () => {
    const found = await client.send(
      new DescribeMlflowTrackingServerCommand({ TrackingServerName: 'logs' }),
    );
    return [found.TrackingServerStatus, found.IsActive];
  };
  return { plane, client, look };
}

/** A client that tries each call once. */
export function newClient(
  t: TestContext,
  endpoint: string,
  more: ConstructorParameters<typeof SageMakerClient>[0] = {},
): SageMakerClient {
  const client = new SageMakerClient({
    endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'ASIAOPERATOR', secretAccessKey: 's', sessionToken: 't' },
    maxAttempts: 1,
    ...more,
  });
  t.after(() => client.destroy());
  return client;
}

/** A tracking server of the tests: its name, the least that its making asks for, and its ARN. */
export const TrackingServerName = 'logs';
export const minimum = {
  ArtifactStoreUri: 's3://artifacts/mlflow',
  RoleArn: 'arn:aws:iam::111122223333:role/mlflow',
};
export const arn = 'arn:aws:sagemaker:eu-west-1:111122223333:mlflow-tracking-server/logs';
