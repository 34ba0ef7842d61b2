import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { CallRecord } from '../../call/call-record.ts';

/** Calls that have failed and may yet succeed. LiteLLM logs one failure of a call at the most, and one success. */
export interface FailedCalls {
  /** Remembers a failure; says of a success whether its call had failed before. */
  hasRecovered(call: CallRecord, now: number): boolean;
  /** Forgets failures that no success has come for. */
  forgetOld(now: number): void;
}

/** How long a failure waits for its success, in milliseconds. */
const longestWait = 3_600_000;

/** LiteLLM's ids are UUIDs; a client may choose one of any length. */
const longestId = 100;
const hashOf = (id: string) => createHash('sha256').update(id).digest('hex');

export function createFailedCalls(database: DatabaseSync): FailedCalls {
  const remember = database.prepare(
    'INSERT OR IGNORE INTO failed_calls (call_id, failed_at) VALUES (?, ?)',
  );
  const take = database.prepare('DELETE FROM failed_calls WHERE call_id = ?');
  const forget = database.prepare('DELETE FROM failed_calls WHERE failed_at < ?');
  return {
    hasRecovered: ({ callId, status }, now) => {
      if (callId === undefined) return false;
      const id = callId.length <= longestId ? callId : hashOf(callId);
      if (status === 'success') return Number(take.run(id).changes) > 0;
      remember.run(id, now);
      return false;
    },
    forgetOld: (now) => {
      forget.run(now - longestWait);
    },
  };
}
