import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { listenLocally } from './listen-locally.ts';
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
  const local = await listenLocally(server);
  return {
    eventsUrl: `${local.url}/v1/events`,
    events,
    authorization: () => authorization,
    waitFor: async (count, withinMs = 15_000) => {
      const look = () => events.length >= count || undefined;
      await waitUntil(look, { what: `${count} events of LiteLLM`, withinMs });
    },
    close: local.close,
  };
}
