import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { waitUntil } from './wait-until.ts';

/** How often a log holds this text. */
export function timesLogged(logFile: string, text: string): number {
  return readFileSync(logFile, 'utf8').split(text).length - 1;
}

/**
 * Waits until a log holds this text so many times, and asserts that it holds it no more often. What a
 * child says reaches its log a little later than what it answers.
 */
export async function assertLogged(logFile: string, text: string, times: number): Promise<void> {
  const look = () => (timesLogged(logFile, text) >= times ? true : undefined);
  await waitUntil(look, { what: `“${text}” in the log`, withinMs: 10_000 });
  assert.equal(timesLogged(logFile, text), times, text);
}
