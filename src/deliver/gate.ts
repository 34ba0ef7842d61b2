import PQueue from 'p-queue';
import type { Answer, MlflowRequest, Send } from '../mlflow/transport.ts';
import { type Backoff, fullJitter } from './backoff.ts';
import type { Clock } from './clock.ts';
import type { Hold } from './hold.ts';
import type { Ration } from './ration.ts';

export interface GateParts {
  send: Send;
  ration: Ration;
  /** The server's state: what waits here when it refuses is not sent to it any more. */
  hold: Pick<Hold, 'allows'>;
  maxInFlight: number;
  /** For how many milliseconds an answer asks to wait, which refuses a request for its rate. */
  throttleOf: (answer: Answer) => number | undefined;
  /** Told of each such answer. */
  onThrottled: () => void;
  clock: Clock;
  random: () => number;
}

/** How often a request is sent that the server refuses for its rate, before the server is held. */
const mostTries = 4;
const waits: Backoff = { first: 1_000, longest: 8_000 };
/** A server that asks for a longer wait, in milliseconds, is held instead. */
const longestWait = 10_000;

export interface Gate {
  send: Send;
  /** For the few requests that are worth many: they are paid for from the same ration, but do not queue. */
  sendFirst: Send;
}

/**
 * The last gate before the socket: the ration first, then a place among the requests in flight. What
 * the server refuses for its rate has done nothing there, and comes through the gate again.
 */
export function createGate(parts: GateParts): Gate {
  const { send, ration, hold, throttleOf, onThrottled, clock, random } = parts;
  const queue = new PQueue({ concurrency: parts.maxInFlight });
  const through = async (request: MlflowRequest, first: boolean): Promise<Answer> => {
    for (let tries = 1; ; tries += 1) {
      await ration.acquire(first);
      const answer = await queue.add(
        async () => (hold.allows() === 'none' ? ({ kind: 'held' } as const) : send(request)),
        { priority: first ? 1 : 0 },
      );
      const waitMs = throttleOf(answer);
      if (waitMs === undefined) return answer;
      ration.throttled();
      onThrottled();
      if (tries === mostTries || waitMs > longestWait) return answer;
      ration.pause(waitMs);
      await clock.sleep(Math.max(waitMs, fullJitter(waits, tries - 1, random)));
      // Meanwhile the server was held for another request: only one may try it, and that is not this.
      if (hold.allows() !== 'all') return answer;
    }
  };
  return {
    send: (request) => through(request, false),
    sendFirst: (request) => through(request, true),
  };
}
