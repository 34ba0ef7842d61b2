import { createHash } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { AccessKey, AccessKeys } from './access-keys.ts';
import { type ReceivedRequest, singleHeader, splitTarget } from './received-request.ts';
import type { Refusal } from './refusal.ts';
import { Sha256 } from './sha256.ts';

/** Whom the signature has to be for. */
export interface SignedFor {
  readonly service: string;
  readonly region: string;
  /** Headers that have to be signed beside those that always do. */
  readonly headers: readonly string[];
  /** Milliseconds since 1970, by the server's clock. */
  readonly now: number;
}

export type Verification =
  | { readonly accessKeyId: string; readonly key: AccessKey }
  | { readonly refusal: Refusal };

const maxSkewMs = 5 * 60_000;
const alwaysSigned = ['host', 'x-amz-date', 'x-amz-content-sha256'];

/**
 * Checks a request's SigV4 signature by making it again, with Amazon's own signer, from what arrived.
 * Refuses with AWS's names and texts and always with 403; the order of the checks is that of the
 * questions who, for what, when, and at last whether.
 */
export async function verifySignature(
  request: ReceivedRequest,
  keys: AccessKeys,
  signedFor: SignedFor,
): Promise<Verification> {
  const authorization = singleHeader(request.headers, 'authorization');
  if (authorization === undefined) {
    return refuse('MissingAuthenticationTokenException', 'Missing Authentication Token');
  }
  const claim = readAuthorization(authorization);
  if (claim === undefined) {
    return refuse('IncompleteSignatureException', 'Authorization header is not in the SigV4 form.');
  }
  const key = await keys.find(claim.accessKeyId);
  if (key === undefined) return refuse('UnrecognizedClientException', invalidToken);
  if (singleHeader(request.headers, 'x-amz-security-token') !== key.sessionToken) {
    return refuse('UnrecognizedClientException', invalidToken);
  }
  if (keys.isExpired(claim.accessKeyId)) {
    return refuse('ExpiredTokenException', 'The security token included in the request is expired');
  }
  const wrong =
    wrongScope(claim, signedFor) ??
    wrongDate(request, claim, signedFor.now) ??
    wrongHeaders(request, claim, signedFor.headers) ??
    wrongBody(request);
  if (wrong !== undefined) return refuse('InvalidSignatureException', wrong);

  if ((await signatureOf(request, claim, key)) !== claim.signature) {
    return refuse('InvalidSignatureException', mismatch);
  }
  return { accessKeyId: claim.accessKeyId, key };
}

const invalidToken = 'The security token included in the request is invalid.';
const mismatch =
  'The request signature we calculated does not match the signature you provided. Check your AWS ' +
  'Secret Access Key and signing method. Consult the service documentation for details.';

function refuse(code: string, message: string): Verification {
  return { refusal: { status: 403, code, message } };
}

interface Claim {
  readonly accessKeyId: string;
  /** `20260131` */
  readonly day: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

const authorizationForm =
  /^AWS4-HMAC-SHA256 Credential=([^/\s,]+)\/(\d{8})\/([^/\s,]+)\/([^/\s,]+)\/aws4_request, ?SignedHeaders=([a-z\d;-]+), ?Signature=([\da-f]{64})$/;

function readAuthorization(text: string): Claim | undefined {
  const parts = authorizationForm.exec(text);
  if (parts === null) return undefined;
  const [, accessKeyId = '', day = '', region = '', service = '', headers = '', signature = ''] =
    parts;
  return { accessKeyId, day, region, service, signedHeaders: headers.split(';'), signature };
}

function wrongScope(claim: Claim, { service, region }: SignedFor): string | undefined {
  if (claim.region !== region) {
    return `Credential should be scoped to a valid region, not '${claim.region}'.`;
  }
  if (claim.service !== service) {
    return `Credential should be scoped to correct service: '${service}'.`;
  }
  return undefined;
}

function wrongDate(request: ReceivedRequest, claim: Claim, now: number): string | undefined {
  const stamp = dateOf(request);
  const signedAt = parseDate(stamp);
  if (signedAt === undefined) return `Date '${stamp}' is not in the form YYYYMMDDTHHMMSSZ.`;
  if (claim.day !== stamp.slice(0, 8)) {
    return `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP`;
  }
  if (signedAt < now - maxSkewMs) {
    const limit = `${formatDate(now - maxSkewMs)} (${formatDate(now)} - 5 min.)`;
    return `Signature expired: ${stamp} is now earlier than ${limit}`;
  }
  if (signedAt > now + maxSkewMs) {
    const limit = `${formatDate(now + maxSkewMs)} (${formatDate(now)} + 5 min.)`;
    return `Signature not yet current: ${stamp} is still later than ${limit}`;
  }
  return undefined;
}

/** AWS wants `Host` and whatever is named `x-amz-` to be signed; a routing header would be of no use else. */
function wrongHeaders(
  request: ReceivedRequest,
  { signedHeaders }: Claim,
  own: readonly string[],
): string | undefined {
  const amazons = Object.keys(request.headers).filter((name) => name.startsWith('x-amz-'));
  for (const name of [...alwaysSigned, ...own, ...amazons]) {
    if (!signedHeaders.includes(name)) return `'${name}' must be a 'SignedHeader'.`;
  }
  const absent = signedHeaders.find((name) => singleHeader(request.headers, name) === undefined);
  return absent === undefined ? undefined : `The signed header '${absent}' is absent.`;
}

function wrongBody(request: ReceivedRequest): string | undefined {
  const hash = createHash('sha256').update(request.body).digest('hex');
  if (singleHeader(request.headers, 'x-amz-content-sha256') === hash) return undefined;
  return "The value of 'x-amz-content-sha256' is not the hash of the body.";
}

async function signatureOf(
  request: ReceivedRequest,
  claim: Claim,
  { secretAccessKey, sessionToken }: AccessKey,
): Promise<string | undefined> {
  const { path, query } = splitTarget(request.target);
  const parameters = readQuery(query);
  const signingDate = parseDate(dateOf(request));
  if (parameters === undefined || signingDate === undefined) return undefined;
  const headers: Record<string, string> = {};
  for (const name of claim.signedHeaders) headers[name] = String(request.headers[name]);

  const signer = new SignatureV4({
    service: claim.service,
    region: claim.region,
    credentials: {
      accessKeyId: claim.accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
    },
    sha256: Sha256,
  });
  const signed = await signer.sign(
    // Where it is sent does not enter the signature, but for the Host header.
    { method: request.method, protocol: 'http:', hostname: '', path, query: parameters, headers },
    { signingDate: new Date(signingDate), signableHeaders: new Set(claim.signedHeaders) },
  );
  return readAuthorization(signed.headers['authorization'] ?? '')?.signature;
}

/**
 * The parameters of a query; `undefined` where it is not well encoded, or has one that the signer would
 * leave out. A `+` is a plus here, not a space.
 */
function readQuery(query: string): Record<string, string[]> | undefined {
  const parameters = new Map<string, string[]>();
  for (const piece of query.split('&')) {
    if (piece === '') continue;
    const mark = piece.indexOf('=');
    const [name, value] = mark === -1 ? [piece, ''] : [piece.slice(0, mark), piece.slice(mark + 1)];
    try {
      const decoded = decodeURIComponent(name);
      if (decoded.toLowerCase() === 'x-amz-signature') return undefined;
      parameters.set(decoded, [...(parameters.get(decoded) ?? []), decodeURIComponent(value)]);
    } catch {
      return undefined;
    }
  }
  return Object.fromEntries(parameters);
}

function dateOf(request: ReceivedRequest): string {
  return singleHeader(request.headers, 'x-amz-date') ?? '';
}

/** Milliseconds of `20260131T235959Z`; `undefined` for anything else. */
function parseDate(stamp: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(stamp);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second] = parts;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time) ? undefined : time;
}

function formatDate(time: number): string {
  return new Date(time).toISOString().replaceAll(/[-:]|\.\d+/g, '');
}
