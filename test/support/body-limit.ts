import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { listenLocally } from './listen-locally.ts';

/** A reverse proxy at 127.0.0.1 that takes no larger bodies than `bytes`, as nginx does; answers its URL. */
export async function startBodyLimit(
  t: { after(end: () => unknown): unknown },
  target: string,
  bytes: number,
): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    const length = Number(incoming.headers['content-length'] ?? 0);
    if (length > bytes) {
      incoming.resume();
      outgoing.writeHead(413).end('<html>413 Request Entity Too Large</html>');
    } else pass(new URL(incoming.url ?? '/', target), incoming, outgoing);
  });
  const { url, close } = await listenLocally(server);
  t.after(close);
  return url;
}

function pass(to: URL, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method, headers } = incoming;
  const sent = request(to, { method, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  sent.on('error', () => outgoing.destroy());
  incoming.pipe(sent);
}
