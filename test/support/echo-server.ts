import { createServer, type IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { listenLocally } from './listen-locally.ts';

export interface EchoedRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface EchoServer {
  readonly url: string;
  /** What has come, in its order. */
  readonly received: readonly EchoedRequest[];
}

/** A server that keeps each request and answers with its body, until the test ends. */
export async function startEchoServer(t: {
  after(end: () => unknown): unknown;
}): Promise<EchoServer> {
  const received: EchoedRequest[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const { method = '', url: target = '', headers } = incoming;
    const body = await buffer(incoming);
    received.push({ method, target, headers, body });
    outgoing.setHeader('content-type', headers['content-type'] ?? 'text/plain').end(body);
  });
  const local = await listenLocally(server);
  t.after(local.close);
  return { url: local.url, received };
}
