import { createHash } from 'node:crypto';
import aws4 from 'aws4';
import type { Authorize, OutgoingRequest, Refusal } from './authorizer.ts';
import type { AwsCredentials, CredentialSource } from './credentials.ts';
import type { ServerClock } from './server-clock.ts';

/** Where requests go, and what they must say to get there. */
export interface SignedEndpoint {
  url: URL;
  region: string;
  /** The service that requests are signed for. */
  service: string;
  /** Those that each request has. */
  headers: Readonly<Record<string, string>>;
}

/**
 * Signs a request by Signature Version 4.
 *
 * aws4 adds no hash of the body by itself for these services, and rewrites the path into the form that
 * it signs, which is therefore the one to send.
 *
 * @param now Unix milliseconds, as the server's clock has them.
 */
export function sign(
  request: OutgoingRequest,
  endpoint: SignedEndpoint,
  credentials: Pick<AwsCredentials, 'accessKeyId' | 'secretAccessKey' | 'sessionToken'>,
  now: number,
): { path: string; headers: Record<string, string> } {
  const body = request.body === undefined ? undefined : bufferOf(request.body);
  const signed = aws4.sign(
    {
      service: endpoint.service,
      region: endpoint.region,
      method: request.method,
      path: request.path,
      ...(body !== undefined && { body }),
      headers: {
        ...request.headers,
        ...endpoint.headers,
        host: endpoint.url.host,
        'x-amz-content-sha256': createHash('sha256')
          .update(body ?? '')
          .digest('hex'),
        'X-Amz-Date': new Date(now).toISOString().replace(/[:-]|\.\d{3}/g, ''),
      },
    },
    credentials,
  );
  return {
    path: signed.path ?? request.path,
    headers: Object.fromEntries(
      Object.entries(signed.headers ?? {}).map(([name, value]) => [name, String(value)]),
    ),
  };
}

const saysExpired =
  /Expired ?Token|InvalidClientTokenId|UnrecognizedClient|InvalidToken|token .{0,40}(expired|invalid)/i;

/** MLflow's own answers have this member; whom they answer was let in. */
const isOfMlflow = /"error_code"/;

/**
 * Signs requests to `endpoint`, each by the credentials of the moment and the server's clock. A refusal
 * that is not MLflow's teaches the clock, whatever it says: how SageMaker refuses a wrong time is not
 * published. When it says that the credentials have run out or are unknown, others are asked for.
 */
export function createSigV4(
  endpoint: SignedEndpoint,
  credentials: CredentialSource,
  clock: ServerClock,
): Authorize {
  return async (request) => {
    const used = await credentials.current();
    const skew = clock.skew();
    return {
      ...sign(request, endpoint, used, clock.now()),
      refused: async ({ status, text, date }: Refusal) => {
        if (![400, 401, 403].includes(status) || isOfMlflow.test(text)) return false;
        clock.learn(date);
        // Another request may have learned it first.
        if (clock.skew() !== skew) return true;
        return saysExpired.test(text) && (await credentials.renew(used));
      },
    };
  };
}

function bufferOf(body: string | Uint8Array): Buffer {
  return typeof body === 'string'
    ? Buffer.from(body, 'utf8')
    : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}
