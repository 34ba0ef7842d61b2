import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { listenLocally } from './listen-locally.ts';

/** One request that passed, in the order of arrival. */
export interface SeenRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** The status the client got; absent while under way and where the client got no answer. */
  status?: number;
}

/**
 * What becomes of a request. `drop` destroys the client's connection after the target has answered,
 * so that the target acted and the client does not know; `refuse` before anything reaches it.
 */
export type Treatment =
  | { readonly kind: 'pass'; readonly delayMs?: number }
  | { readonly kind: 'drop' }
  | { readonly kind: 'refuse' }
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    };

export interface CountingProxy {
  readonly url: string;
  readonly requests: readonly SeenRequest[];
  /** How many requests had this method and a path that matches. */
  count(method: string, path: RegExp): number;
  /** Requests by `METHOD /path`, ids in the path replaced by `*`. */
  counts(): Record<string, number>;
  /** Forgets what was counted. */
  reset(): void;
  /** Decides on each request from now on; without it all pass. */
  treat(choose: (request: SeenRequest) => Treatment): void;
  close(): Promise<void>;
}

/** A reverse proxy at 127.0.0.1 in front of one server, which counts and can do harm. Bodies stream. */
export async function startCountingProxy(target: string): Promise<CountingProxy> {
  const to = new URL(target);
  let requests: SeenRequest[] = [];
  let choose: (request: SeenRequest) => Treatment = () => ({ kind: 'pass' });

  const server = createServer((incoming, outgoing) => {
    const path = (incoming.url ?? '/').split('?')[0] ?? '/';
    const seen: SeenRequest = { method: incoming.method ?? 'GET', path };
    requests.push(seen);
    const treatment = choose(seen);
    switch (treatment.kind) {
      case 'refuse':
        incoming.socket.destroy();
        return;
      case 'answer':
        incoming.resume().on('end', () => {
          seen.status = treatment.status;
          outgoing.writeHead(treatment.status, { ...treatment.headers }).end(treatment.body ?? '');
        });
        return;
      case 'drop':
        forward(incoming, to).on('response', (answer) => {
          answer.resume().on('end', () => incoming.socket.destroy());
        });
        return;
      case 'pass': {
        const { delayMs = 0 } = treatment;
        forward(incoming, to)
          .on('response', (answer) => passBack(answer, outgoing, seen, delayMs))
          .on('error', () => incoming.socket.destroy());
      }
    }
  });
  server.keepAliveTimeout = 60_000;
  const local = await listenLocally(server);

  return {
    url: local.url,
    get requests() {
      return requests;
    },
    count: (method, path) =>
      requests.filter((seen) => seen.method === method && path.test(seen.path)).length,
    counts: () => {
      const counts: Record<string, number> = {};
      for (const { method, path } of requests) {
        const key = `${method} ${withoutIds(path)}`;
        counts[key] = (counts[key] ?? 0) + 1;
      }
      return counts;
    },
    reset: () => {
      requests = [];
    },
    treat: (next) => {
      choose = next;
    },
    close: local.close,
  };
}

function forward(incoming: IncomingMessage, to: URL): ClientRequest {
  const forwarded = request({
    host: to.hostname,
    port: to.port,
    method: incoming.method,
    path: incoming.url,
    headers: { ...incoming.headers, host: to.host },
  });
  forwarded.on('error', () => incoming.socket.destroy());
  incoming.pipe(forwarded);
  return forwarded;
}

async function passBack(
  answer: IncomingMessage,
  outgoing: ServerResponse,
  seen: SeenRequest,
  delayMs: number,
): Promise<void> {
  if (delayMs > 0) await pause(delayMs);
  seen.status = answer.statusCode ?? 0;
  outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
  answer.pipe(outgoing);
}

function withoutIds(path: string): string {
  return path.replaceAll(/\/(?:[0-9a-f]{32}|\d+)(?=\/|$)/g, '/*');
}
