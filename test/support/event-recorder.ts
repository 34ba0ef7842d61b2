import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { listOf, recordOf } from './upstream-request.ts';
import { waitUntil } from './wait-until.ts';

/** Stands in the sidecar's place and keeps what LiteLLM posts. */
export interface EventRecorder {
  readonly eventsUrl: string;
  readonly events: readonly Readonly<Record<string, unknown>>[];
  /** The `Authorization` of the last POST. */
  authorization(): string | undefined;
  /** Resolves when there are at least so many events. */
  waitFor(count: number, withinMs?: number): Promise<void>;
  close(): Promise<void>;
}

export async function startEventRecorder(): Promise<EventRecorder> {
  const events: Record<string, unknown>[] = [];
  let authorization: string | undefined;
  const server = createServer(async (incoming, outgoing) => {
    authorization = incoming.headers.authorization;
    const body: unknown = JSON.parse(await text(incoming));
    events.push(...listOf(body).map(recordOf));
    outgoing.writeHead(200).end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No TCP address.');
  return {
    eventsUrl: `http://127.0.0.1:${address.port}/v1/events`,
    events,
    authorization: () => authorization,
    waitFor: async (count, withinMs = 15_000) => {
      const look = () => events.length >= count || undefined;
      await waitUntil(look, { what: `${count} events of LiteLLM`, withinMs });
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
