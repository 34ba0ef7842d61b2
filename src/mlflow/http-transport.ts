import { Pool } from 'undici';
import type { Authorize, OutgoingRequest } from '../aws/authorizer.ts';
import { forOneTry, lengthHeader, lengthOf } from './body.ts';
import type { Answer, MlflowRequest, Send } from './transport.ts';

export interface HttpOptions {
  /** The tracking server, `http(s)://HOST[:PORT][/PREFIX]`, without credentials. */
  url: URL;
  connections: number;
  /** Milliseconds until an answer's head, and again until its end, for the next request. */
  timeoutMs: () => number;
  /** Gives each request its credentials; absent for a server without access control. */
  authorize?: Authorize;
}

export interface HttpTransport {
  send: Send;
  /** Ends connections; requests under way are answered `no_answer`. */
  close(): Promise<void>;
}

/** Milliseconds until a connection stands, TLS included. */
const connectMs = 10_000;

/**
 * The longest answer that is read. Most are a few kilobytes; but a run comes with all its params and tags,
 * and each character beyond ASCII takes six bytes: one at all its limits comes to 10 MB.
 */
const maxAnswerBytes = 16 * 1024 * 1024;

export function createHttpTransport(options: HttpOptions): HttpTransport {
  const { url } = options;
  const prefix = url.pathname.replace(/\/+$/, '');
  const pool = new Pool(url.origin, {
    connections: options.connections,
    pipelining: 1,
    connect: { timeout: connectMs },
    maxResponseSize: maxAnswerBytes,
  });

  /** One try; `again`: it was refused in a way that another may not be. */
  const tryOnce = async (request: MlflowRequest): Promise<{ answer: Answer; again: boolean }> => {
    const timeoutMs = options.timeoutMs();
    const outgoing: OutgoingRequest = {
      method: request.method,
      path: prefix + request.path,
      headers: {
        ...request.headers,
        ...(request.contentType !== undefined && { 'content-type': request.contentType }),
        ...lengthHeader(request.body),
        accept: 'application/json',
      },
      body: request.body,
    };
    const authorized = await options.authorize?.(outgoing);
    const response = await pool.request({
      path: authorized?.path ?? outgoing.path,
      method: request.method,
      headersTimeout: timeoutMs + uploadMs(request.body),
      bodyTimeout: timeoutMs,
      headers: authorized?.headers ?? outgoing.headers,
      ...(request.body !== undefined && { body: forOneTry(request.body) }),
    });
    const status = response.statusCode;
    const text = await response.body.text();
    const retryAfter = textOf(response.headers['retry-after']);
    const date = textOf(response.headers.date);
    const errorType = textOf(response.headers['x-amzn-errortype']);
    const refusal = { status, text, date, errorType };
    return {
      answer: {
        kind: 'answer',
        status,
        text,
        ...(retryAfter !== undefined && { retryAfter }),
        ...(errorType !== undefined && { errorType }),
      },
      again: (status >= 400 && (await authorized?.refused(refusal))) ?? false,
    };
  };

  const send: Send = async (request): Promise<Answer> => {
    try {
      const first = await tryOnce(request);
      return first.again ? (await tryOnce(request)).answer : first.answer;
    } catch (error) {
      if (error instanceof Error && error.name === 'NoCredentialsError') {
        return { kind: 'no_credentials', cause: error.message };
      }
      const code = codeOf(error);
      return { kind: 'no_answer', sent: !neverSent.test(code), cause: code };
    }
  };
  return { send, close: () => pool.destroy() };
}

function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}

/** What a slow line may take for a body, which counts against the wait for the answer's head. */
function uploadMs(body: MlflowRequest['body']): number {
  return body === undefined ? 0 : Math.ceil(lengthOf(body) / slowestUpload);
}

/** Bytes a millisecond. */
const slowestUpload = 256;

/**
 * Codes of failures before a connection stood: name resolution, connecting, TLS. Anything else may
 * have come after the server read the request, this program's own stop included.
 */
const neverSent =
  /^(ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|EPROTO|UND_ERR_CONNECT_TIMEOUT|UND_ERR_INVALID_ARG|ERR_TLS_\w+|ERR_SSL_\w+|CERT_\w+|\w*SELF_SIGNED_CERT\w*|UNABLE_TO_\w+)$/;

/** The code of an error or of what caused it; never its message, which may quote the request. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN';
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  return error.cause === undefined ? error.name : codeOf(error.cause);
}
