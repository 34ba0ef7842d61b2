import { createHash } from 'node:crypto';
import type { Fields } from './fields.ts';

/**
 * The identity of an attempt: SHA-256, as lower-case hex, of LiteLLM's `status`,
 * `litellm_call_id`, `id`, `startTime` and `endTime`, joined by `|`.
 *
 * LiteLLM re-posts a batch byte for byte, so a repeated post gives the same ids; a failure and the
 * success after it share the call id and differ in status and times. `id` alone is chosen by the
 * provider, `litellm_call_id` alone by the client, so neither would do.
 */
export function recordIdOf(payload: Fields): string {
  const parts = ['status', 'litellm_call_id', 'id', 'startTime', 'endTime'].map((name) => {
    const value = payload[name];
    if (value === undefined || value === null) return '';
    // An object may have a `toString` that is no function.
    return typeof value === 'object' ? JSON.stringify(value) : String(value);
  });
  return createHash('sha256').update(parts.join('|')).digest('hex');
}
