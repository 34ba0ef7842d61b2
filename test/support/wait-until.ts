import { setTimeout as pause } from 'node:timers/promises';

export interface WaitOptions {
  /** What is waited for, as it reads after "Waited 30 s for". */
  readonly what: string | (() => string);
  /** Milliseconds until it is given up. */
  readonly withinMs: number;
  /** Milliseconds between two looks. */
  readonly everyMs?: number;
}

/**
 * Looks again and again until `look` returns something that is not `undefined`, and returns that.
 * For what another process does, of which no event tells; a look that throws ends the waiting.
 */
export async function waitUntil<T>(
  look: () => T | undefined | Promise<T | undefined>,
  { what, withinMs, everyMs = 50 }: WaitOptions,
): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end) {
      const reason = typeof what === 'string' ? what : what();
      throw new Error(`Waited ${withinMs / 1000} s for ${reason}.`);
    }
    await pause(everyMs);
  }
}

/** Whether a GET of `url` is answered with 200 within a second; a server that is not there is no error. */
export async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1000) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}
