import PQueue from 'p-queue';
import type { Send } from '../mlflow/transport.ts';
import type { Hold } from './hold.ts';
import type { Ration } from './ration.ts';

export interface GateParts {
  send: Send;
  ration: Ration;
  /** The server's state: what waits here when it refuses is not sent to it any more. */
  hold: Pick<Hold, 'allows'>;
  maxInFlight: number;
}

/** The last gate before the socket: the ration first, then a place among the requests in flight. */
export function gated({ send, ration, hold, maxInFlight }: GateParts): Send {
  const queue = new PQueue({ concurrency: maxInFlight });
  return async (request) => {
    await ration.acquire();
    const answer = await queue.add(async () =>
      hold.allows() === 'none' ? ({ kind: 'held' } as const) : send(request),
    );
    if (answer.kind === 'answer' && answer.status === 429) ration.throttled();
    return answer;
  };
}
