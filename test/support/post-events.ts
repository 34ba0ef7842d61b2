import { waitUntil } from './wait-until.ts';

/** What the receiver answers to a batch that it kept. */
export interface Receipt {
  received: number;
  accepted: number;
  duplicates: number;
  rejected: { index: number; reason: string }[];
}

/**
 * Posts a batch as LiteLLM does with `max_retries` set: again and again on a 5xx answer or when the
 * connection fails, within a bound. Resolves with the answer that acknowledged it.
 */
export async function postEvents(
  url: string,
  events: readonly unknown[],
  withinMs = 60_000,
): Promise<Receipt> {
  const body = JSON.stringify(events);
  const attempt = async (): Promise<Receipt | undefined> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(10_000),
    }).catch(() => undefined);
    if (response === undefined || response.status >= 500) return undefined;
    if (response.status !== 200) throw new Error(`the sidecar answered ${response.status}`);
    const receipt: Receipt = JSON.parse(await response.text());
    return receipt;
  };
  return waitUntil(attempt, { what: 'an acknowledgement', withinMs, everyMs: 100 });
}
