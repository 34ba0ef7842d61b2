import {
  type ClientRequest,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { listenLocally } from './listen-locally.ts';

/** A request that has arrived whole at the proxy. */
export interface PassingRequest {
  /** MLflow's own name of it, such as `runs/create`; `artifacts/put` for an artifact, or a part of one. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** `performance.now()` of its arrival. */
  readonly at: number;
  /** For S3, not for MLflow. */
  readonly isForS3: boolean;
  /** What MLflow answered, once it has. */
  status?: number;
  /** What was done to it. */
  fault?: Fault['kind'];
}

/**
 * What is done to a request instead of passing it on and its answer back.
 *
 * - `lose_answer`: MLflow acts, then the connection is reset.
 * - `reset_answer`: MLflow acts; the connection is reset in the middle of its answer's body.
 * - `reset_request`: MLflow gets the first half of the request's body, then both connections are reset.
 * - `act_late`: MLflow gets it only after the client has given up and gone, and after `until`.
 * - `hang`: MLflow never gets it, and the client no answer.
 * - `answer`: the proxy answers by itself.
 * - `slow`: MLflow acts at once, and the answer comes `ms` later.
 */
export type Fault =
  | { readonly kind: 'lose_answer' | 'reset_answer' | 'reset_request' | 'hang' }
  | { readonly kind: 'act_late'; readonly until: () => Promise<unknown> }
  | { readonly kind: 'slow'; readonly ms: number }
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    };

/** Told of what happens to each request; the proxy waits for what a hook returns. */
export interface ProxyHooks {
  /** Before anything is done; `forget`: it never reaches MLflow. */
  arrived?(passing: PassingRequest): Promise<'forget' | undefined> | undefined;
  /** MLflow has answered; the client has got nothing yet. */
  acted?(passing: PassingRequest, answer: Buffer): Promise<void> | undefined;
  /** The answer has been written to the client. */
  answered?(passing: PassingRequest): void;
}

export interface FaultProxy {
  readonly url: string;
  /** All that arrived, in that order. */
  readonly requests: readonly PassingRequest[];
  named(name: string): PassingRequest[];
  /** Decides on each request from now on; without it, all pass. */
  harm(choose: (passing: PassingRequest) => Fault | undefined): void;
  heal(): void;
  hook(hooks: ProxyHooks): void;
  /** Another server takes the place of the one behind it. */
  pointTo(target: string): void;
  /** Resolves when nothing is left that would still act late. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

interface MlflowAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/**
 * A reverse proxy at 127.0.0.1 that does to requests and answers what networks and servers do.
 *
 * @param target MLflow's URL.
 * @param s3 An S3 that takes what is not for MLflow, by paths that begin with the bucket; without one
 *   all is for MLflow.
 */
export async function startFaultProxy(target: string, s3?: string): Promise<FaultProxy> {
  let to = new URL(target);
  let choose: (passing: PassingRequest) => Fault | undefined = () => undefined;
  let hooks: ProxyHooks = {};
  const requests: PassingRequest[] = [];
  const late = new Set<Promise<unknown>>();

  const pass = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const path = incoming.url ?? '/';
    const gone = new Promise((resolve) => outgoing.once('close', resolve));
    const body = await buffer(incoming);
    const { method = 'GET', headers } = incoming;
    const name = nameOf(method, path);
    const isForS3 = s3 !== undefined && !isMlflows(path);
    const at = performance.now();
    const passing: PassingRequest = { name, method, path, headers, body, isForS3, at };
    requests.push(passing);
    const act = async (): Promise<MlflowAnswer> => {
      const answer = await forward(isForS3 ? new URL(s3) : to, incoming, body);
      passing.status = answer.status;
      await hooks.acted?.(passing, answer.body);
      return answer;
    };
    const fault = choose(passing);
    if (fault !== undefined) passing.fault = fault.kind;
    if ((await hooks.arrived?.(passing)) === 'forget') return reset(outgoing);

    switch (fault?.kind) {
      case 'hang':
        return;
      case 'act_late': {
        const acting = gone.then(fault.until).then(act);
        late.add(acting);
        await acting.finally(() => late.delete(acting));
        return;
      }
      case 'answer':
        outgoing.writeHead(fault.status, { ...fault.headers }).end(fault.body ?? '');
        return;
      case 'reset_request':
        await sendHalf(to, incoming, body);
        return reset(outgoing);
      case 'lose_answer':
        await act();
        return reset(outgoing);
      case 'reset_answer': {
        const answer = await act();
        outgoing.writeHead(answer.status, answer.headers);
        outgoing.write(answer.body.subarray(0, Math.ceil(answer.body.length / 2)));
        return reset(outgoing);
      }
      case 'slow':
      case undefined: {
        const answer = await act();
        if (fault !== undefined) await pause(fault.ms);
        outgoing.on('finish', () => hooks.answered?.(passing));
        outgoing.writeHead(answer.status, answer.headers).end(answer.body);
      }
    }
  };

  const server = createServer((incoming, outgoing) => {
    // A client that was killed, and a server that is down, end a request alike.
    pass(incoming, outgoing).catch(() => reset(outgoing));
  });
  server.keepAliveTimeout = 60_000;
  const local = await listenLocally(server);

  return {
    url: local.url,
    requests,
    named: (name) => requests.filter((passing) => passing.name === name),
    harm: (next) => {
      choose = next;
    },
    heal: () => {
      choose = () => undefined;
    },
    hook: (next) => {
      hooks = next;
    },
    pointTo: (next) => {
      to = new URL(next);
    },
    settled: async () => {
      await Promise.allSettled(late);
    },
    close: local.close,
  };
}

function isMlflows(path: string): boolean {
  return path.startsWith('/api/');
}

function nameOf(method: string, path: string): string {
  const plain = path.split('?')[0] ?? '';
  if (plain.startsWith('/api/2.0/mlflow-artifacts/')) return 'artifacts/put';
  if (!isMlflows(plain)) return method === 'PUT' ? 'artifacts/put' : `${method} ${plain}`;
  return plain.replace(/^\/api\/\d\.0\/mlflow\//, '');
}

/**
 * The answer may have been begun: a plain end of the connection could pass for its end. A client that
 * has gone has ended it already, and Node never closes a socket that is reset while it ends: its
 * process could not exit.
 */
function reset({ socket }: ServerResponse): void {
  if (socket?.writableEnded) socket.destroy();
  else socket?.resetAndDestroy();
}

/** A request to MLflow, of which nothing has gone out yet. */
function begin(to: URL, incoming: IncomingMessage, body: Buffer): ClientRequest {
  // The body has arrived whole: nobody is to be asked whether it may come.
  const { 'transfer-encoding': _, expect: __, ...headers } = incoming.headers;
  return request({
    host: to.hostname,
    port: to.port,
    method: incoming.method,
    path: incoming.url,
    headers: { ...headers, host: to.host, 'content-length': String(body.length) },
    agent: false,
  });
}

/** Resolves when the half has gone out and the connection is cut. */
async function sendHalf(to: URL, incoming: IncomingMessage, body: Buffer): Promise<void> {
  const forwarded = begin(to, incoming, body);
  forwarded.on('error', () => undefined);
  const half = body.subarray(0, Math.ceil(body.length / 2));
  await new Promise((resolve) => forwarded.write(half, resolve));
  forwarded.socket?.resetAndDestroy();
}

async function forward(to: URL, incoming: IncomingMessage, body: Buffer): Promise<MlflowAnswer> {
  const forwarded = begin(to, incoming, body);
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    forwarded.on('response', resolve).on('error', reject);
  });
  forwarded.end(body);
  const answer = await answered;
  const { 'transfer-encoding': ___, connection: ____, ...answerHeaders } = answer.headers;
  return { status: answer.statusCode ?? 502, headers: answerHeaders, body: await buffer(answer) };
}
