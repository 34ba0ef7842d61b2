import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listenLocally } from '../listen-locally.ts';
import { type AccessKeyLookup, AccessKeys } from './access-keys.ts';
import { actionOf, isApiPath } from './iam-actions.ts';
import { passOn } from './pass-on.ts';
import { type ReceivedRequest, receiveRequest, splitTarget } from './received-request.ts';
import { awsJson, plainText, type Refusal, type RefusalFormat, sendRefusal } from './refusal.ts';
import { destinationOf, type ResourceKind } from './resource.ts';
import { type Rate, TokenBucket } from './token-bucket.ts';
import { verifySignature } from './verify-signature.ts';

export interface SagemakerEdgeOptions {
  /** The URL of the MLflow server behind it. */
  readonly mlflow: string;
  /** The ARNs of the tracking servers and apps that exist; all are that one MLflow. */
  readonly resources: readonly string[];
  readonly credentials: AccessKeyLookup;
  /** Its clock, in milliseconds since 1970. */
  readonly now?: () => number;
  /** That of a small tracking server unless told: 25 a second, 50 at once. */
  readonly rate?: Rate;
  /** Paths beside MLflow's API that it serves too, `/version`. Whether AWS's does is not known. */
  readonly openPaths?: readonly string[];
}

/** A request that reached the edge, in the order of arrival. */
export interface EdgeRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly at: number;
  arn?: string;
  /** The IAM action that it needs; absent where AWS has none for it, or before the signature is verified. */
  action?: string;
  accessKeyId?: string;
  /** Absent while under way, and where the client got no answer. */
  status?: number;
  /** The name of the error, where the edge answered by itself. */
  refusal?: string;
}

/** How it says that a request came too soon. What AWS's data plane says is not known. */
export interface Throttling {
  readonly status: 400 | 429 | 503;
  /** Seconds, as `Retry-After`; without the header unless told. */
  readonly retryAfter?: number;
}

export interface SagemakerEdge {
  readonly url: string;
  readonly requests: readonly EdgeRequest[];
  /** The IAM actions that requests with a good signature needed. */
  verbs(): Set<string>;
  /** Forgets the requests so far. */
  reset(): void;
  /** The session token of this access key has run out from now on. */
  expire(accessKeyId: string): void;
  /** This access key does not exist from now on. */
  revoke(accessKeyId: string): void;
  /** Nobody may do this from now on (`sagemaker-mlflow:CreateRun`). */
  deny(action: string): void;
  /** Takes a `deny` back. */
  allow(action: string): void;
  /** Another rate from now on, beginning with a full bucket; `{ perSecond: 0, burst: 0 }` lets nothing through. */
  setRate(rate: Rate): void;
  /** 429 without `Retry-After` until told. */
  setThrottling(throttling: Throttling): void;
  /** How its refusals read, but for that of an unknown tracking server, which is known: JSON until told. */
  setRefusalFormat(format: RefusalFormat): void;
  close(): Promise<void>;
}

/**
 * What stands before SageMaker Managed MLflow, at 127.0.0.1: verifies who asks, for which resource, and
 * whether they may, and has a real MLflow server answer. Requests can be lost behind it, by a proxy
 * between it and MLflow; a proxy before it would change the `Host` that was signed.
 */
export async function startSagemakerEdge(options: SagemakerEdgeOptions): Promise<SagemakerEdge> {
  const {
    resources,
    now = Date.now,
    rate = { perSecond: 25, burst: 50 },
    openPaths = [],
  } = options;
  const mlflow = new URL(options.mlflow);
  const keys = new AccessKeys(options.credentials);
  const bucket = new TokenBucket(rate, now);
  let requests: EdgeRequest[] = [];
  let throttling: Throttling = { status: 429 };
  let refusalFormat = awsJson;

  /** What stands against a request, if anything does; notes on the way what is known of it. */
  async function objectionTo(
    received: ReceivedRequest,
    seen: EdgeRequest,
  ): Promise<Refusal | undefined> {
    const destination = destinationOf(received.headers);
    if (destination === undefined) return noRouting;
    const { kind, arn, service, region, header } = destination;
    seen.arn = arn;
    if (region === undefined) return unknownResource(kind);

    const signedFor = { service, region, headers: [header], now: now() };
    const verified = await verifySignature(received, keys, signedFor);
    if ('refusal' in verified) return verified.refusal;
    seen.accessKeyId = verified.accessKeyId;
    if (!resources.includes(arn)) return unknownResource(kind);
    const isOpen = openPaths.includes(seen.path);
    if (!isOpen && !isApiPath(seen.path)) return noSuchPath;

    const action = actionOf(kind, seen.method, seen.path);
    if (action !== undefined) seen.action = action;
    const isAllowed = action === undefined ? isOpen : keys.isAllowed(verified.key, action);
    if (!isAllowed) return notAuthorized;
    return bucket.take() ? undefined : throttled(throttling);
  }

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { path } = splitTarget(incoming.url ?? '/');
    const seen: EdgeRequest = { method: incoming.method ?? 'GET', path, at: now() };
    requests.push(seen);
    const received = await receiveRequest(incoming);
    const refusal = await objectionTo(received, seen);
    if (refusal === undefined) {
      const status = await passOn(received, mlflow, response, now);
      if (status !== undefined) seen.status = status;
      return;
    }
    seen.status = refusal.status;
    seen.refusal = refusal.code;
    const format = refusal === unknownTrackingServer ? plainText : refusalFormat;
    sendRefusal(response, refusal, format, now());
  }

  const server = createServer((incoming, response) => {
    handle(incoming, response).catch(() => incoming.socket.destroy());
  });
  server.keepAliveTimeout = 60_000;
  const local = await listenLocally(server);
  return {
    url: local.url,
    get requests() {
      return requests;
    },
    verbs: () => new Set(requests.flatMap(({ action }) => (action === undefined ? [] : [action]))),
    reset: () => {
      requests = [];
    },
    expire: (accessKeyId) => keys.expire(accessKeyId),
    revoke: (accessKeyId) => keys.revoke(accessKeyId),
    deny: (action) => keys.deny(action),
    allow: (action) => keys.allow(action),
    setRate: (next) => bucket.set(next),
    setThrottling: (next) => {
      throttling = next;
    },
    setRefusalFormat: (next) => {
      refusalFormat = next;
    },
    close: local.close,
  };
}

/** A TypeScript client met this on every call that came without the header. */
const noRouting: Refusal = {
  status: 500,
  code: 'InternalFailure',
  message: 'Internal Server Error',
};
const unknownTrackingServer: Refusal = {
  status: 404,
  code: 'ResourceNotFound',
  message: 'Tracking server could not be found',
};
/** As londonaicentre/FLIP#745 reports it. */
const notAuthorized: Refusal = {
  status: 403,
  code: 'AccessDeniedException',
  message: 'Request is not authorized',
};
const noSuchPath: Refusal = { status: 404, code: 'NotFoundException', message: 'Not Found' };

/** An app that does not exist is refused like one that is not the caller's. */
function unknownResource(kind: ResourceKind): Refusal {
  return kind === 'app' ? notAuthorized : unknownTrackingServer;
}

function throttled({ status, retryAfter }: Throttling): Refusal {
  const refusal = { status, code: 'ThrottlingException', message: 'Rate exceeded' };
  return retryAfter === undefined ? refusal : { ...refusal, retryAfter };
}
