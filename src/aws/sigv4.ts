import { createHash } from 'node:crypto';
import aws4 from 'aws4';
import type { Authorize, OutgoingRequest, Refusal } from './authorizer.ts';
import type { AwsCredentials, CredentialSource } from './credentials.ts';
import type { MlflowEndpoint } from './mlflow-resource.ts';
import type { ServerClock } from './server-clock.ts';

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
  endpoint: MlflowEndpoint,
  credentials: Pick<AwsCredentials, 'accessKeyId' | 'secretAccessKey' | 'sessionToken'>,
  now: number,
): { path: string; headers: Record<string, string> } {
  const body = request.body === undefined ? undefined : bufferOf(request.body);
  const [header, arn] = endpoint.routing;
  const signed = aws4.sign(
    {
      service: endpoint.service,
      region: endpoint.region,
      method: request.method,
      path: request.path,
      ...(body !== undefined && { body }),
      headers: {
        ...request.headers,
        host: endpoint.url.host,
        [header]: arn,
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

const saysSkew =
  /AuthFailure|InvalidSignature|SignatureDoesNotMatch|RequestExpired|RequestInTheFuture|RequestTimeTooSkewed|Signature (not yet current|expired)/i;
const saysExpired =
  /Expired ?Token|InvalidClientTokenId|UnrecognizedClient|InvalidToken|token .{0,40}expired/i;

/**
 * Signs requests to `endpoint`, each by the credentials of the moment and the server's clock. When the
 * credentials are refused as run out or unknown, others are asked for; when the time is, the clock
 * learns from the refusal.
 */
export function createSigV4(
  endpoint: MlflowEndpoint,
  credentials: CredentialSource,
  clock: ServerClock,
): Authorize {
  return async (request) => {
    const used = await credentials.current();
    return {
      ...sign(request, endpoint, used, clock.now()),
      refused: async ({ status, text, date }: Refusal) => {
        if (![400, 401, 403].includes(status)) return false;
        if (saysSkew.test(text) && clock.learn(date)) return true;
        if (!saysExpired.test(text)) return false;
        const fresh = await credentials.renew(used).catch(() => used);
        return fresh !== used;
      },
    };
  };
}

function bufferOf(body: string | Uint8Array): Buffer {
  return typeof body === 'string'
    ? Buffer.from(body, 'utf8')
    : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}
