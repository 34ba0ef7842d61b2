import type { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import type { CallRecord } from '../call/call-record.ts';
import {
  JournalError,
  type PendingCall,
  type Progress,
  type Settlement,
  type TakenCalls,
} from './journal.ts';
import { readProgress } from './read-progress.ts';
import type { Taken } from './taken.ts';

export interface TakeParts {
  database: DatabaseSync;
  taken: Taken;
  settle: (seq: number, settlement: Settlement, now: number) => void;
}

/** Hands out calls that are due, oldest first; one whose record is damaged dies here. */
export function createTaker({ database, taken, settle }: TakeParts) {
  const findDue = database.prepare(
    `SELECT c.seq, c.received_at, c.experiment, c.attempts, c.progress, p.record, p.record_crc,
       length(p.body) AS body_bytes
     FROM calls c JOIN payloads p USING (seq)
     WHERE c.state = 0 AND c.due_at <= ? ORDER BY c.due_at, c.seq LIMIT ?`,
  );
  const findNextDue = database.prepare(
    'SELECT due_at FROM calls WHERE state = 0 AND due_at > ? ORDER BY due_at LIMIT 1',
  );
  const pullIn = database.prepare('UPDATE calls SET due_at = ? WHERE state = 0 AND due_at > ?');
  const findState = database.prepare('SELECT state FROM calls WHERE seq = ?');
  const setProgress = database.prepare('UPDATE calls SET progress = ? WHERE seq = ?');

  return (limit: number, destination: string, now: number): TakenCalls => {
    pullIn.run(now, now + longestWait);
    const calls: PendingCall[] = [];
    for (const row of findDue.all(now, limit + taken.size())) {
      const seq = Number(row['seq']);
      if (calls.length === limit || taken.has(seq)) continue;
      // The search trusts its index; a call that has ended would be handed out for ever.
      if (findState.get(seq)?.['state'] !== 0) {
        throw new JournalError('JOURNAL_DAMAGED', 'the index of what is due is damaged');
      }
      const record = readRecord(String(row['record']), Number(row['record_crc']));
      if (record === undefined) {
        settle(seq, { kind: 'dead', reason: 'damaged', detail: 'its checksum is wrong' }, now);
        continue;
      }
      const progress =
        typeof row['progress'] === 'string'
          ? readProgress(row['progress'], destination)
          : undefined;
      if (progress?.runId === undefined && progress?.begunAt === undefined) {
        const begun: Progress = { ...progress, destination, begunAt: now };
        setProgress.run(JSON.stringify(begun), seq);
      }
      taken.take(seq);
      calls.push({
        seq,
        receivedAt: Number(row['received_at']),
        experiment: String(row['experiment']),
        record,
        attempts: Number(row['attempts']),
        bodyBytes: Number(row['body_bytes'] ?? 0),
        ...(progress && { progress }),
      });
    }
    const nextDueAt = findNextDue.get(now)?.['due_at'];
    return { calls, ...(nextDueAt !== undefined && { nextDueAt: Number(nextDueAt) }) };
  };
}

/** Nothing waits longer than this, in milliseconds, unless the clock was set back. */
const longestWait = 3_600_000;

/** A record is what this program wrote, as long as its checksum holds. */
function readRecord(text: string, crc: number): CallRecord | undefined {
  return crc32(text) === crc ? (JSON.parse(text) as CallRecord) : undefined;
}
