import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import type { ReceivedRequest } from './received-request.ts';
import { awsHeaders } from './refusal.ts';

/** What concerns the connection, or the edge alone, and does not go to MLflow. */
const keptBack = new Set([
  ...['authorization', 'connection', 'content-length', 'expect', 'host', 'keep-alive', 'te'],
  ...['trailer', 'transfer-encoding', 'upgrade'],
]);

/**
 * Has MLflow answer a request, and streams its answer back. Where MLflow breaks off, so does the
 * client's connection, after which the client does not know what became of its request.
 */
export function passOn(
  received: ReceivedRequest,
  to: URL,
  response: ServerResponse,
  now: () => number,
): Promise<number | undefined> {
  return new Promise((resolve) => {
    const breakOff = () => {
      response.destroy();
      resolve(undefined);
    };
    const passed = request({
      host: to.hostname,
      port: to.port,
      method: received.method,
      path: received.target,
      headers: headersFor(received, to),
      // A kept connection could be closed under a request, which would look like a lost answer.
      agent: false,
    });
    passed.on('error', breakOff);
    passed.on('response', (answer: IncomingMessage) => {
      const status = answer.statusCode ?? 502;
      const { connection, 'keep-alive': keepAlive, date, ...headers } = answer.headers;
      response.writeHead(status, { ...headers, ...awsHeaders(now()) });
      answer.on('error', breakOff);
      answer.pipe(response).on('finish', () => resolve(status));
    });
    // A client that has gone does not wait.
    response.on('close', () => passed.destroy());
    passed.end(received.body);
  });
}

function headersFor({ headers, body }: ReceivedRequest, to: URL): IncomingHttpHeaders {
  const passed: IncomingHttpHeaders = { host: to.host, 'content-length': String(body.length) };
  for (const [name, value] of Object.entries(headers)) {
    if (!keptBack.has(name) && !name.startsWith('x-amz-')) passed[name] = value;
  }
  return passed;
}
