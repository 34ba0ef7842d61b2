import PQueue from 'p-queue';
import type { Send } from '../mlflow/transport.ts';
import type { Ration } from './ration.ts';

/** The last gate before the socket: the ration first, then a place among the requests in flight. */
export function gated(send: Send, ration: Ration, maxInFlight: number): Send {
  const queue = new PQueue({ concurrency: maxInFlight });
  return async (request) => {
    await ration.acquire();
    const answer = await queue.add(() => send(request));
    if (answer.kind === 'answer' && answer.status === 429) ration.throttled();
    return answer;
  };
}
