import { createHash } from 'node:crypto';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import aws4 from 'aws4';

/** A request ready to be sent; a test may still spoil it. */
export interface WireRequest {
  method: string;
  target: string;
  headers: Record<string, string>;
  body: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface SigningOptions {
  readonly method?: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly host: string;
  readonly service: string;
  readonly region: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  /** Milliseconds since 1970. */
  readonly at?: number;
}

/** Signs by aws4, which shares no code with the signer by which the servers of the tests verify. */
export function signRequest(options: SigningOptions): WireRequest {
  const { method = 'GET', target, body = '', host, service, region, credentials } = options;
  const headers: Record<string, string> = {
    ...options.headers,
    'x-amz-content-sha256': createHash('sha256').update(body).digest('hex'),
  };
  if (options.at !== undefined) {
    headers['x-amz-date'] = new Date(options.at).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  }
  const signed = aws4.sign(
    { method, path: target, host, headers, body, service, region },
    credentials,
  );
  const sent: Record<string, string> = {};
  for (const [name, value] of Object.entries(signed.headers ?? {})) {
    sent[name.toLowerCase()] = String(value);
  }
  return { method, target: signed.path ?? target, headers: sent, body };
}

/** Sends a request to the letter: its target is not normalised, no header is added but `Connection`. */
export async function sendRequest(url: string, wire: WireRequest): Promise<Answer> {
  const { hostname, port } = new URL(url);
  const { method, target, headers, body } = wire;
  const outgoing = request({ hostname, port, method, path: target, headers, agent: false });
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on('response', resolve).on('error', reject).end(body);
  });
  return { status: answer.statusCode ?? 0, headers: answer.headers, text: await text(answer) };
}
