import { request } from 'undici';
import type { CredentialSource } from './credentials.ts';
import type { ServerClock } from './server-clock.ts';
import { createSigV4, type SignedEndpoint } from './sigv4.ts';

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

/** SageMaker's control plane, for the partitions `aws` and `aws-us-gov`. */
export function controlPlane(region: string, custom?: string): SignedEndpoint {
  const url = new URL(custom ?? `https://api.sagemaker.${region}.amazonaws.com`);
  return { url, region, service: 'sagemaker', headers: {} };
}

/** Milliseconds until an answer's head, and again until its end. */
const timeoutMs = 15_000;

/**
 * Asks SageMaker for a tracking server; needs `sagemaker:DescribeMlflowTrackingServer`. It does without
 * Amazon's client for SageMaker, which would take 28 MB of memory for this one request.
 *
 * @param signal Gives the request up.
 * @throws NoCredentialsError, the error of a failed connection, or one named as SageMaker names it, such
 * as `ResourceNotFound`.
 */
export async function describeTrackingServer(
  name: string,
  endpoint: SignedEndpoint,
  credentials: CredentialSource,
  clock: ServerClock,
  signal?: AbortSignal,
): Promise<TrackingServer> {
  const authorize = createSigV4(endpoint, credentials, clock);
  const body = JSON.stringify({ TrackingServerName: name });
  const ask = async () => {
    const authorized = await authorize({
      method: 'POST',
      path: '/',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'SageMaker.DescribeMlflowTrackingServer',
      },
      body,
    });
    const response = await request(endpoint.url.origin + authorized.path, {
      method: 'POST',
      headers: authorized.headers,
      body,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      ...(signal && { signal }),
    });
    const { statusCode: status } = response;
    const text = await response.body.text();
    const date = String(response.headers.date);
    return { status, text, again: () => authorized.refused({ status, text, date }) };
  };

  let answer = await ask();
  if (answer.status !== 200 && (await answer.again())) answer = await ask();
  if (answer.status !== 200) throw refusalOf(answer.status, answer.text);
  const { TrackingServerArn: arn, TrackingServerSize: size } = membersOf(answer.text);
  if (typeof arn !== 'string') throw new Error('SageMaker names no ARN');
  return { arn, size: isSize(size) ? size : undefined };
}

/** An error named as the answer names it, with or without the service's own namespace before it. */
function refusalOf(status: number, text: string): Error {
  const type = membersOf(text)['__type'];
  const error = new Error('SageMaker refused');
  error.name = typeof type === 'string' ? type.slice(type.lastIndexOf('#') + 1) : `HTTP ${status}`;
  return error;
}

function membersOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function isSize(value: unknown): value is TrackingServerSize {
  return typeof value === 'string' && Object.hasOwn(requestsPerSecondOf, value);
}
