import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { listenLocally } from './listen-locally.ts';

/** Stands between LiteLLM and the sidecar, passes each POST on and keeps its bytes. */
export interface EventTap {
  /** Where LiteLLM posts to. */
  readonly eventsUrl: string;
  /** The bodies that the sidecar acknowledged, as they were sent. */
  readonly bodies: readonly Buffer<ArrayBuffer>[];
  close(): Promise<void>;
}

/** @param target The sidecar's events URL. */
export async function startEventTap(target: string): Promise<EventTap> {
  const bodies: Buffer<ArrayBuffer>[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const body = Buffer.from(await buffer(incoming));
    const { authorization = '', 'content-type': type = '' } = incoming.headers;
    try {
      const answer = await fetch(target, {
        method: 'POST',
        headers: { authorization, 'content-type': type },
        body,
      });
      const text = await answer.text();
      if (answer.ok) bodies.push(body);
      outgoing.writeHead(answer.status).end(text);
    } catch {
      incoming.socket.destroy();
    }
  });
  const local = await listenLocally(server);
  return {
    eventsUrl: `${local.url}/v1/events`,
    bodies,
    close: local.close,
  };
}
