import { request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

/** What became of a batch, as LiteLLM knows it. */
export type Posted = 'acknowledged' | 'lost';

export interface SenderOptions {
  /** Told at the very moment at which the head of a 200 has come. */
  readonly onAcknowledged?: () => void;
  /** Milliseconds until an answer has to be there. */
  readonly timeoutMs?: number;
}

const mostTries = 6;

/**
 * Posts batches as LiteLLM's `generic_api` callback does with `max_retries: 5`: the same bytes again
 * after a 5xx, a timeout or a failed connection, waiting twice as long each time; never after a 4xx.
 */
export function createSender(url: string, options: SenderOptions = {}) {
  const { onAcknowledged = () => {}, timeoutMs = 5_000 } = options;

  const post = (body: string) =>
    new Promise<number>((resolve, reject) => {
      const posting = request(
        url,
        {
          method: 'POST',
          agent: false,
          headers: { 'content-type': 'application/json' },
          signal: AbortSignal.timeout(timeoutMs),
        },
        (answer) => {
          const { statusCode = 0 } = answer;
          if (statusCode === 200) onAcknowledged();
          answer.on('error', reject).on('end', () => resolve(statusCode));
          answer.resume();
        },
      );
      posting.on('error', reject).end(body);
    });

  return async (events: readonly unknown[]): Promise<Posted> => {
    const body = JSON.stringify(events);
    for (let tries = 1; tries <= mostTries; tries += 1) {
      const status = await post(body).catch(() => 'no answer' as const);
      if (status === 200) return 'acknowledged';
      if (typeof status === 'number' && status < 500) return 'lost';
      if (tries < mostTries) await pause(200 * 2 ** tries);
    }
    return 'lost';
  };
}
