import type { DatabaseSync } from 'node:sqlite';
import { lanes } from '../admit/run-choice.ts';
import {
  JournalError,
  type PendingCall,
  type Progress,
  type Settlement,
  type TakenCalls,
} from './journal.ts';
import { longestWait } from './longest-wait.ts';
import { readProgress } from './read-progress.ts';
import { isTraced, readJoinedRecord } from './read-record.ts';
import type { Taken } from './taken.ts';

export interface TakeParts {
  database: DatabaseSync;
  taken: Taken;
  settle: (seq: number, settlement: Settlement, now: number) => void;
}

/**
 * Hands out calls that are due, lane by lane and in each the oldest first; one whose record is damaged
 * dies here.
 */
export function createTaker({ database, taken, settle }: TakeParts) {
  const findDue = database.prepare(
    `SELECT c.seq, c.record_id, c.received_at, c.experiment, c.attempts, c.progress, c.sample_rate, c.wants,
       c.trace_begun, p.record,
       p.record_crc, length(p.body) AS body_bytes
     FROM calls c INDEXED BY calls_due LEFT JOIN payloads p USING (seq)
     WHERE c.state = 0 AND c.lane = ? AND c.due_at <= ? ORDER BY c.due_at, c.seq LIMIT ?`,
  );
  const findNextDue = database.prepare(
    `SELECT due_at FROM calls INDEXED BY calls_due
     WHERE state = 0 AND lane = ? AND due_at > ? ORDER BY due_at LIMIT 1`,
  );
  const pullIn = database.prepare(
    `UPDATE calls INDEXED BY calls_due SET due_at = :now
     WHERE state = 0 AND lane = :lane AND due_at > :latest`,
  );
  const findState = database.prepare('SELECT state FROM calls WHERE seq = ?');
  const setProgress = database.prepare('UPDATE calls SET progress = ? WHERE seq = ?');

  /** Lane by lane: rows of a lane are read only when those before it were not enough. */
  function* due(now: number, limit: number) {
    for (const lane of inOrder) yield* findDue.all(lane, now, limit + taken.size());
  }

  return (limit: number, destination: string, now: number): TakenCalls => {
    for (const lane of inOrder) pullIn.run({ now, lane, latest: now + longestWait });
    const calls: PendingCall[] = [];
    for (const row of due(now, limit)) {
      const seq = Number(row['seq']);
      if (calls.length === limit) break;
      if (taken.has(seq)) continue;
      // The search trusts its index; a call that has ended would be handed out for ever.
      if (findState.get(seq)?.['state'] !== 0) {
        throw new JournalError('JOURNAL_DAMAGED', 'the index of what is due is damaged');
      }
      const record = readJoinedRecord(row);
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
        ...(isTraced(row) && { isTraced: true as const }),
        ...(typeof row['sample_rate'] === 'number' && { sampleRate: row['sample_rate'] }),
        ...(progress && { progress }),
      });
    }
    const next = inOrder.flatMap((lane) => findNextDue.get(lane, now)?.['due_at'] ?? []);
    return { calls, ...(next.length > 0 && { nextDueAt: Math.min(...next.map(Number)) }) };
  };
}

const inOrder = Object.values(lanes).sort((one, other) => one - other);
