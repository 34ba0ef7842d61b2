import type { Readable } from 'node:stream';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyRequest,
  LogController,
} from 'fastify';
import {
  type AppendReceipt,
  type Journal,
  JournalError,
  type JournalErrorCode,
} from '../journal/journal.ts';
import { mayPass } from './access.ts';
import { createInflight } from './inflight.ts';
import { readBody } from './read-body.ts';

export interface ReceiverOptions {
  /** What a sender must know at present; absent: nothing. */
  authToken: () => string | undefined;
  maxBodyBytes: number;
  maxInflightBytes: number;
  /** How long a body may take to come, in milliseconds: a sender that stalls gives its room back. */
  patienceMs: number;
}

/** How a POST was answered; `bytes`: what it held, as far as it was seen or declared. */
export interface PostReport {
  status: 200 | 401 | 413 | 503;
  bytes: number;
  /** Milliseconds from the request's head to its answer. */
  ms: number;
  receipt?: AppendReceipt;
  /** Why the journal did not keep it. */
  code?: JournalErrorCode;
}

export interface ReceiverParts {
  journal: Pick<Journal, 'append'>;
  /** Bodies of `GET /healthz` and `/readyz`, and whether calls are being taken. */
  health: () => Promise<{ accepting: boolean; report: object }>;
  /** The page of `GET /`, of a health report. */
  page: (report: object) => string;
  /** Prometheus text. */
  metrics: () => Promise<{ contentType: string; text: string }>;
  /** Calls may have become due for delivery. */
  onAccepted: () => void;
  onPost: (report: PostReport) => void;
  now: () => number;
  log: FastifyBaseLogger;
}

/** So much later Node ends, with a 408, what was not answered by itself; in milliseconds. */
const requestNetMs = 30_000;

/** Seconds after which a sender that was refused for want of room may try again. */
const retryAfter = { full: 10, unavailable: 5, busy: 1 };

/**
 * The HTTP side: LiteLLM's posts, health and metrics.
 *
 * 200 means that the calls are on disk; 503, that they are not and should be posted again. LiteLLM
 * retries neither 4xx nor 429, so nothing that may pass by itself is answered with one.
 */
export function createReceiver(parts: ReceiverParts, options: ReceiverOptions): FastifyInstance {
  const { journal, now, onPost } = parts;
  const { maxBodyBytes, patienceMs } = options;
  const tooLarge = { error: `a body may have ${maxBodyBytes} bytes at the most` };
  const inflight = createInflight(options.maxInflightBytes);
  const app = Fastify({
    loggerInstance: parts.log,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: 'idle',
    requestTimeout: patienceMs + requestNetMs,
    bodyLimit: maxBodyBytes,
    routerOptions: { ignoreTrailingSlash: true },
  });

  // LiteLLM calls all of its formats application/json; the body alone tells. Fastify refuses a header
  // that is no content type at all, and LiteLLM does not retry what is refused.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));

  const ignoreContentType = async (request: FastifyRequest) => {
    request.headers['content-type'] = 'application/octet-stream';
  };
  const events = { onRequest: ignoreContentType };
  app.post<{ Body: Readable | undefined }>('/v1/events', events, async (request, reply) => {
    const receivedAt = now();
    const declared = Number(request.headers['content-length'] ?? 0);
    const room = inflight.open();
    const answer = (
      status: PostReport['status'],
      bytes: number,
      body: AppendReceipt | Failure,
      code?: JournalErrorCode,
    ) => {
      const receipt = 'received' in body ? { receipt: body } : {};
      onPost({ status, bytes, ms: reply.elapsedTime, ...receipt, ...(code && { code }) });
      return reply.code(status).send(body);
    };
    const putOff = (seconds: number, error: string, code?: JournalErrorCode) => {
      reply.header('retry-after', seconds);
      return answer(503, declared, { error }, code);
    };

    // What can be refused is refused before the body is read.
    if (!mayPass(options.authToken(), request.headers.authorization)) {
      return answer(401, declared, { error: 'the token is missing or wrong' });
    }
    if (declared > maxBodyBytes) return answer(413, declared, tooLarge);
    if (!room.grow(declared)) return putOff(retryAfter.busy, 'too much is under way');
    try {
      const read = await readBody(request.body, { maxBytes: maxBodyBytes, patienceMs }, room);
      switch (read.kind) {
        case 'aborted':
          // Nobody hears it.
          return putOff(retryAfter.busy, 'the body broke off');
        case 'too_slow':
          reply.header('connection', 'close');
          return putOff(retryAfter.busy, 'the body came too slowly');
        case 'too_large':
          return answer(413, read.bytes, tooLarge);
        case 'no_room':
          return putOff(retryAfter.busy, 'too much is under way');
        case 'body': {
          const { length } = read.bytes;
          const receipt = await journal.append(read.bytes, receivedAt);
          if (receipt.accepted > 0) parts.onAccepted();
          return answer(200, length, receipt);
        }
      }
    } catch (error) {
      if (!(error instanceof JournalError)) throw error;
      return error.code === 'JOURNAL_FULL'
        ? putOff(retryAfter.full, 'the journal is full', error.code)
        : putOff(retryAfter.unavailable, 'the journal is unavailable', error.code);
    } finally {
      room.close();
    }
  });

  for (const path of ['/healthz', '/readyz']) {
    app.get(path, async (_request, reply) => {
      const { accepting, report } = await parts.health();
      return reply.code(accepting ? 200 : 503).send(report);
    });
  }
  app.get('/', async (_request, reply) => {
    const { report } = await parts.health();
    reply.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'");
    return reply.type('text/html; charset=utf-8').send(parts.page(report));
  });
  app.get('/metrics', async (_request, reply) => {
    const { contentType, text } = await parts.metrics();
    return reply.type(contentType).send(text);
  });
  return app;
}

interface Failure {
  error: string;
}
