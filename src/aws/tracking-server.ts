import { type CredentialSource, providerFor } from './credentials.ts';

/** What the control plane tells of a tracking server. */
export interface TrackingServer {
  arn: string;
  size: TrackingServerSize | undefined;
}

export type TrackingServerSize = 'Small' | 'Medium' | 'Large';

/** What a server of each size bears, in requests a second, people's browsers included. */
export const requestsPerSecondOf: Readonly<Record<TrackingServerSize, number>> = {
  Small: 25,
  Medium: 50,
  Large: 100,
};

/**
 * Asks SageMaker for a tracking server; needs `sagemaker:DescribeMlflowTrackingServer`.
 *
 * @throws An error of Amazon's library, such as one named `ResourceNotFound`.
 */
export async function describeTrackingServer(
  name: string,
  region: string,
  credentials: CredentialSource,
): Promise<TrackingServer> {
  const { SageMakerClient, DescribeMlflowTrackingServerCommand } = await import(
    '@aws-sdk/client-sagemaker'
  );
  const client = new SageMakerClient({ region, credentials: providerFor(credentials) });
  try {
    const described = await client.send(
      new DescribeMlflowTrackingServerCommand({ TrackingServerName: name }),
    );
    const { TrackingServerArn: arn, TrackingServerSize: size } = described;
    if (arn === undefined) throw new Error('SageMaker names no ARN');
    return { arn, size };
  } finally {
    client.destroy();
  }
}
