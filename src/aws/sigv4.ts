import { createHash } from 'node:crypto';
import aws4 from 'aws4';
import type { Authorize, OutgoingRequest, Refusal } from './authorizer.ts';
import type { AwsCredentials, CredentialSource } from './credentials.ts';
import { refusalName } from './refusal-name.ts';
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
 * @param digest The lower-case hex SHA-256 of a body that is a stream.
 */
export function sign(
  request: OutgoingRequest,
  endpoint: SignedEndpoint,
  credentials: Pick<AwsCredentials, 'accessKeyId' | 'secretAccessKey' | 'sessionToken'>,
  now: number,
  digest?: string,
): { path: string; headers: Record<string, string> } {
  const body = wholeBody(request.body);
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
        'x-amz-content-sha256':
          digest ??
          sha256()
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
    const digest = await digestOfStream(request.body);
    return {
      ...sign(request, endpoint, used, clock.now(), digest),
      refused: async (refusal: Refusal) => {
        const { status, text, date } = refusal;
        if (![400, 401, 403].includes(status)) return false;
        // A name is no quotation: of MLflow's form or not, what is called so is about credentials.
        const isNamed = saysExpired.test(refusalName(refusal) ?? '');
        if (!isNamed && isOfMlflow.test(text)) return false;
        clock.learn(date);
        // Another request may have learned it first.
        if (clock.skew() !== skew) return true;
        return (isNamed || saysExpired.test(text)) && (await credentials.renew(used));
      },
    };
  };
}

const sha256 = () => createHash('sha256');

/** The digest of a body that is a stream, which is read to its end for it. */
async function digestOfStream(body: OutgoingRequest['body']): Promise<string | undefined> {
  if (typeof body !== 'object' || !('open' in body)) return undefined;
  const hash = sha256();
  for await (const chunk of body.open()) hash.update(chunk);
  return hash.digest('hex');
}

/** A body that is in memory. */
function wholeBody(body: OutgoingRequest['body']): Buffer | undefined {
  if (typeof body === 'string') return Buffer.from(body, 'utf8');
  return body instanceof Uint8Array
    ? Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    : undefined;
}
