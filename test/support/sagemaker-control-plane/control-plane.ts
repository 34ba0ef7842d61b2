import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listenLocally } from '../listen-locally.ts';
import { type AccessKeyLookup, AccessKeys } from '../sagemaker-edge/access-keys.ts';
import { receiveRequest, singleHeader } from '../sagemaker-edge/received-request.ts';
import { awsHeaders } from '../sagemaker-edge/refusal.ts';
import { verifySignature } from '../sagemaker-edge/verify-signature.ts';
import { ApiError, errorBody } from './api-error.ts';
import { Apps } from './apps.ts';
import type { Input } from './constraint.ts';
import type { Change } from './life-cycle.ts';
import { inputs, isOperation, type Operation } from './model.ts';
import type { PresignedUrl, Resource } from './resources.ts';
import { TrackingServers } from './tracking-servers.ts';
import { validate } from './validate.ts';

export interface ControlPlaneOptions {
  readonly credentials: AccessKeyLookup;
  readonly region?: string;
  readonly account?: string;
  /** Its clock, in milliseconds since 1970. */
  readonly now?: () => number;
  /** Milliseconds by its clock that a change of state takes; without, changes end by `advance` alone. */
  readonly changeMs?: number;
  readonly mlflowVersion?: string;
}

/** A call of an operation, in the order of arrival. */
export interface ControlPlaneCall {
  readonly operation: string;
  readonly input: Input;
  /** The name of the error it was answered with. */
  error?: string;
}

export interface ControlPlane {
  readonly url: string;
  readonly region: string;
  readonly calls: readonly ControlPlaneCall[];
  readonly presigned: readonly PresignedUrl[];
  /** Makes a tracking server that has been created already; returns its ARN. */
  addTrackingServer(name: string, more?: Input): string;
  /** Makes an app that has been created already; returns its ARN. */
  addApp(name: string, more?: Input): string;
  /** Ends the changes of state that are under way. */
  advance(): void;
  /** The next change of this kind to end fails. */
  fail(change: Change): void;
  /** Begins AWS's own maintenance of a resource. */
  maintain(arn: string): void;
  /** The next calls, one unless told, are answered with a `ThrottlingException`. */
  throttle(calls?: number): void;
  /** The next call of this operation is answered with this error, such as `ResourceLimitExceeded`. */
  failNext(operation: Operation, code: string, message: string): void;
  /** Nobody may call this operation from now on. */
  deny(operation: Operation): void;
  allow(operation: Operation): void;
  expire(accessKeyId: string): void;
  close(): Promise<void>;
}

/**
 * SageMaker's control plane for MLflow at 127.0.0.1: AWS JSON 1.1, all fourteen operations, the model's
 * ranges and patterns, the states of the resources. Verifies signatures as the edge does.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { region = 'eu-west-1', account = '111122223333', now = Date.now } = options;
  const { changeMs = Number.POSITIVE_INFINITY, mlflowVersion = '3.0.0' } = options;
  const keys = new AccessKeys(options.credentials);
  const failing = new Set<Change>();
  const pace = { now, changeMs: () => changeMs, fails: (change: Change) => failing.delete(change) };
  const surroundings = { account, region, pace, mlflowVersion };
  const servers = new TrackingServers(surroundings);
  const apps = new Apps(surroundings);
  const calls: ControlPlaneCall[] = [];
  const presigned: PresignedUrl[] = [];
  const errors = new Map<Operation, ApiError>();
  let throttled = 0;

  const authorize = (url: PresignedUrl) => {
    presigned.push(url);
    return { AuthorizedUrl: url.url };
  };
  const operations: Readonly<Record<Operation, (input: Input) => object>> = {
    CreateMlflowTrackingServer: (input) => servers.create(input),
    DescribeMlflowTrackingServer: (input) => servers.describe(input),
    ListMlflowTrackingServers: (input) => servers.list(input),
    UpdateMlflowTrackingServer: (input) => servers.update(input),
    DeleteMlflowTrackingServer: (input) => servers.delete(input),
    StartMlflowTrackingServer: (input) => servers.start(input),
    StopMlflowTrackingServer: (input) => servers.stop(input),
    CreatePresignedMlflowTrackingServerUrl: (input) => authorize(servers.presign(input)),
    CreateMlflowApp: (input) => apps.create(input),
    DescribeMlflowApp: (input) => apps.describe(input),
    ListMlflowApps: (input) => apps.list(input),
    UpdateMlflowApp: (input) => apps.update(input),
    DeleteMlflowApp: (input) => apps.delete(input),
    CreatePresignedMlflowAppUrl: (input) => authorize(apps.presign(input)),
  };

  /** Carries a call out. Throws an `ApiError` where it cannot. */
  async function carryOut(incoming: IncomingMessage): Promise<object> {
    const received = await receiveRequest(incoming);
    const target = singleHeader(received.headers, 'x-amz-target') ?? '';
    const operation = target.replace(/^SageMaker\./, '');
    const call: ControlPlaneCall = { operation, input: parse(received.body) };
    calls.push(call);
    try {
      const signedFor = { service: 'sagemaker', region, headers: [], now: now() };
      const verified = await verifySignature(received, keys, signedFor);
      if ('refusal' in verified) {
        throw new ApiError(verified.refusal.code, verified.refusal.message);
      }
      if (!isOperation(operation) || target === operation || received.method !== 'POST') {
        throw new ApiError('UnknownOperationException', 'The requested operation is not known.');
      }
      if (!keys.isAllowed(verified.key, `sagemaker:${operation}`)) {
        throw accessDenied(account, operation);
      }
      if (throttled > 0) {
        throttled -= 1;
        throw new ApiError('ThrottlingException', 'Rate exceeded');
      }
      const input = validate(call.input, inputs[operation]);
      const error = errors.get(operation);
      errors.delete(operation);
      if (error !== undefined) throw error;
      return operations[operation](input);
    } catch (error) {
      if (error instanceof ApiError) call.error = error.code;
      throw error;
    }
  }

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const send = (status: number, text: string) =>
      response
        .writeHead(status, { ...awsHeaders(now()), 'content-type': 'application/x-amz-json-1.1' })
        .end(text);
    try {
      send(200, JSON.stringify(await carryOut(incoming)));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      send(400, errorBody(error));
    }
  }

  const all = (): Resource[] => [...servers.all(), ...apps.all()];
  const server = createServer((incoming, response) => {
    handle(incoming, response).catch(() => incoming.socket.destroy());
  });
  const local = await listenLocally(server);
  const basics = {
    ArtifactStoreUri: 's3://artifacts/mlflow',
    RoleArn: `arn:aws:iam::${account}:role/mlflow`,
  };
  return {
    url: local.url,
    region,
    calls,
    presigned,
    addTrackingServer: (TrackingServerName, more) => {
      servers.create({ ...basics, TrackingServerName, ...more });
      const made = servers.find(TrackingServerName);
      made.lifeCycle.end();
      return made.arn;
    },
    addApp: (Name, more) => {
      apps.create({ ...basics, Name, ...more });
      const made = apps.all().at(-1);
      made?.lifeCycle.end();
      return made?.arn ?? '';
    },
    advance: () => {
      for (const { lifeCycle } of all()) lifeCycle.end();
    },
    fail: (change) => {
      failing.add(change);
    },
    maintain: (arn) => {
      all()
        .find((resource) => resource.arn === arn)
        ?.lifeCycle.begin('Maintain');
    },
    throttle: (count = 1) => {
      throttled = count;
    },
    failNext: (operation, code, message) => {
      errors.set(operation, new ApiError(code, message));
    },
    deny: (operation) => keys.deny(`sagemaker:${operation}`),
    allow: (operation) => keys.allow(`sagemaker:${operation}`),
    expire: (accessKeyId) => keys.expire(accessKeyId),
    close: local.close,
  };
}

function parse(body: Buffer): Input {
  try {
    const input: unknown = JSON.parse(body.toString());
    return typeof input === 'object' && input !== null ? { ...input } : {};
  } catch {
    return {};
  }
}

function accessDenied(account: string, operation: string): ApiError {
  const action = `sagemaker:${operation}`;
  const who = `arn:aws:sts::${account}:assumed-role/operator/${randomUUID()}`;
  return new ApiError(
    'AccessDeniedException',
    `User: ${who} is not authorized to perform: ${action} because no identity-based policy allows the ${action} action`,
  );
}
