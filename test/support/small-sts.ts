import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { listenLocally } from './listen-locally.ts';
import { type AccessKey, type AccessKeyLookup, AccessKeys } from './sagemaker-edge/access-keys.ts';
import { type ReceivedRequest, receiveRequest } from './sagemaker-edge/received-request.ts';
import { awsHeaders } from './sagemaker-edge/refusal.ts';
import { verifySignature } from './sagemaker-edge/verify-signature.ts';

/** A call as STS got it. */
export interface StsCall {
  readonly action: string;
  /** As on the wire: `Tags.member.1.Key`. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Who signed it; absent for what needs no signature. */
  readonly accessKeyId?: string;
}

export interface SmallStsOptions {
  /** The users and roles there are beside those that it gives out itself. */
  readonly credentials?: AccessKeyLookup;
  readonly region?: string;
  /** Its clock, in milliseconds since 1970. */
  readonly now?: () => number;
}

export interface SmallSts {
  readonly url: string;
  readonly calls: readonly StsCall[];
  /** What it gave out for roles. */
  find(accessKeyId: string): AccessKey | undefined;
  /** Nobody may assume this role from now on. */
  deny(roleArn: string): void;
  /** Takes a `deny` back. */
  allow(roleArn: string): void;
}

const account = '111122223333';

/**
 * The IAM actions that a call needs, after AWS's reference of STS's actions: tags and a source identity
 * have one each of their own, `GetCallerIdentity` has none.
 */
export function stsActions({ action, parameters }: StsCall): string[] {
  if (action !== 'AssumeRole') return [];
  const isTagged = Object.keys(parameters).some((name) => name.startsWith('Tags.'));
  return [
    'sts:AssumeRole',
    ...(isTagged ? ['sts:TagSession'] : []),
    ...(parameters['SourceIdentity'] === undefined ? [] : ['sts:SetSourceIdentity']),
  ];
}

/**
 * STS at 127.0.0.1. Unlike moto's, it verifies signatures, so that a chain of roles shows in it, and keeps
 * all parameters. Its credentials hold for as long as was asked, or an hour.
 */
export async function startSmallSts(
  t: Pick<TestContext, 'after'>,
  { credentials = () => undefined, region = 'eu-west-1', now = Date.now }: SmallStsOptions = {},
): Promise<SmallSts> {
  const issued = new Map<string, AccessKey & { arn: string }>();
  const denied = new Set<string>();
  const calls: StsCall[] = [];
  const keys = new AccessKeys((id) => issued.get(id) ?? credentials(id));

  /** The answer to a call, in STS's XML without what no client reads. */
  const act = ({ action, parameters, accessKeyId = '' }: StsCall): string => {
    if (action === 'GetCallerIdentity') {
      const arn = issued.get(accessKeyId)?.arn ?? `arn:aws:iam::${account}:user/${accessKeyId}`;
      return `<Arn>${arn}</Arn><UserId>${accessKeyId}</UserId><Account>${account}</Account>`;
    }
    const { RoleArn = '', RoleSessionName = '', DurationSeconds = '3600' } = parameters;
    const id = `ASIAROLE${String(issued.size + 1).padStart(12, '0')}`;
    const arn = `${RoleArn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/${RoleSessionName}`;
    const key = { secretAccessKey: secret(), sessionToken: secret(), allowed: ['*'], arn };
    issued.set(id, key);
    const end = new Date(now() + Number(DurationSeconds) * 1000).toISOString();
    return (
      `<Credentials><AccessKeyId>${id}</AccessKeyId><SecretAccessKey>${key.secretAccessKey}` +
      `</SecretAccessKey><SessionToken>${key.sessionToken}</SessionToken><Expiration>${end}` +
      `</Expiration></Credentials><AssumedRoleUser><Arn>${arn}</Arn></AssumedRoleUser>`
    );
  };

  const answer = async (received: ReceivedRequest): Promise<[status: number, xml: string]> => {
    const { Action: action = '', ...parameters } = Object.fromEntries(
      new URLSearchParams(received.body.toString()),
    );
    if (action === 'AssumeRoleWithWebIdentity') {
      calls.push({ action, parameters });
    } else {
      const signedFor = { service: 'sts', region, headers: [], now: now() };
      const verified = await verifySignature(received, keys, signedFor);
      if ('refusal' in verified) return [403, error(stsName(verified.refusal.code))];
      calls.push({ action, parameters, accessKeyId: verified.accessKeyId });
    }
    if (denied.has(parameters['RoleArn'] ?? '')) return [403, error('AccessDenied')];
    const result = act(calls.at(-1) ?? { action, parameters });
    return [
      200,
      `<${action}Response><${action}Result>${result}</${action}Result></${action}Response>`,
    ];
  };

  const handle = async (incoming: IncomingMessage, response: ServerResponse) => {
    const [status, text] = await answer(await receiveRequest(incoming));
    response.writeHead(status, { ...awsHeaders(now()), 'content-type': 'text/xml' }).end(text);
  };
  const server = createServer((incoming, response) => {
    handle(incoming, response).catch(() => incoming.socket.destroy());
  });
  const local = await listenLocally(server);
  t.after(local.close);
  return {
    url: local.url,
    calls,
    find: (accessKeyId) => issued.get(accessKeyId),
    deny: (roleArn) => {
      denied.add(roleArn);
    },
    allow: (roleArn) => {
      denied.delete(roleArn);
    },
  };
}

/** STS has other names than AWS's JSON services. */
function stsName(code: string): string {
  if (code === 'UnrecognizedClientException') return 'InvalidClientTokenId';
  return code === 'InvalidSignatureException' ? 'SignatureDoesNotMatch' : code;
}

function error(code: string): string {
  return `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${code}</Message></Error></ErrorResponse>`;
}

function secret(): string {
  return randomBytes(30).toString('base64url');
}
