import type { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { want } from './call-state.ts';
import type { ChunkedCall, PendingChunk } from './detail.ts';
import { JournalError, type Postponement, type Progress } from './journal.ts';
import type { Ledger } from './ledger.ts';
import { longestWait } from './longest-wait.ts';
import { readProgress } from './read-progress.ts';
import { assertWants, isTraced, readJoinedRecord, runIdColumn } from './read-record.ts';
import type { Settler } from './settle-calls.ts';
import type { Transactions } from './transactions.ts';

/** Chunks of calls: see `journal.ts`. All times are in Unix milliseconds. */
export interface Chunks {
  /** The chunk that a call of `bytes` belongs to, which is taken in at `now`. */
  chunkFor(bytes: number, now: number): number;
  /** `closeNow`: also one that would be tried again later. */
  take(destination: string, now: number, closeNow: boolean): PendingChunk | undefined;
  page(chunk: number, after: number): ChunkedCall[];
  progress(chunk: number, progress: Progress): void;
  postpone(chunk: number, postponement: Postponement): void;
  settle(chunk: number, end: 'kept' | 'given up'): void;
  /** Lets some calls of chunks that have ended go; whether there are more. */
  release(now: number): boolean;
}

export interface ChunkParts {
  database: DatabaseSync;
  transactions: Transactions;
  settler: Settler;
  ledger: Ledger;
}

/** A chunk is closed when it has so many calls or bytes. */
const mostCalls = 5_000;
const mostBytes = 32 * 1024 * 1024;
/** And after so many milliseconds: a quarter of an hour where calls are few, a minute where they are many. */
const longestOpen = 15 * 60_000;
const shortestOpen = 60_000;
const many = 1_000;

/** Of a page, and of a body that is part of it. */
const pageBytes = 1024 * 1024;
const inlineBytes = 256 * 1024;
const releasedAStep = 500;

/** How a chunk ended, as its row keeps it. */
const ended = { kept: 1, 'given up': 2 } as const;

interface OpenChunk {
  id: number;
  beganAt: number;
  calls: number;
  bytes: number;
}

export function createChunks({ database, transactions, settler, ledger }: ChunkParts): Chunks {
  const findOpen = database.prepare(
    'SELECT id, began_at, calls, bytes FROM chunks WHERE closed_at IS NULL ORDER BY id LIMIT 1',
  );
  const begin = database.prepare(
    `INSERT INTO chunks (began_at, ended_at, calls, bytes, due_at) VALUES (?, ?, 0, 0, ?)`,
  );
  const grow = database.prepare(
    'UPDATE chunks SET calls = calls + 1, bytes = bytes + ?, ended_at = max(ended_at, ?) WHERE id = ?',
  );
  const close = database.prepare('UPDATE chunks SET closed_at = ?, due_at = ? WHERE id = ?');
  const findDue = database.prepare(
    `SELECT * FROM chunks WHERE closed_at IS NOT NULL AND ended = 0 AND due_at <= ?
     ORDER BY id LIMIT 1`,
  );
  const pullIn = database.prepare(
    'UPDATE chunks SET due_at = ? WHERE closed_at IS NOT NULL AND due_at > ?',
  );
  const findCalls = database.prepare(
    `SELECT c.seq, c.record_id, c.received_at, c.sample_rate, c.wants, c.trace_begun, ${runIdColumn}, p.record, p.record_crc, p.body_crc,
       length(p.body) AS body_bytes,
       CASE WHEN length(p.body) <= ${inlineBytes} THEN p.body END AS body
     FROM calls c INDEXED BY calls_chunk LEFT JOIN payloads p USING (seq)
     WHERE c.chunk = ? AND c.seq > ? AND c.wants & ${want.chunk} ORDER BY c.seq`,
  );
  const setProgress = database.prepare('UPDATE chunks SET progress = ? WHERE id = ?');
  const setPostponed = database.prepare(
    'UPDATE chunks SET due_at = ?, attempts = ?, progress = ? WHERE id = ?',
  );
  const setEnded = database.prepare('UPDATE chunks SET ended = ? WHERE id = ?');
  const findSecondRuns = database.prepare(
    "SELECT progress ->> '$.secondRunsDeleted' AS n FROM chunks WHERE id = ? AND json_valid(progress)",
  );
  const findEnded = database.prepare(
    'SELECT id, ended FROM chunks WHERE ended <> 0 ORDER BY id LIMIT 1',
  );
  /** What is on its way may not be sent again before it is certain that it did not arrive. */
  const hurry = database.prepare(
    `UPDATE chunks SET due_at = ? WHERE closed_at IS NOT NULL AND ended = 0
       AND CASE WHEN json_valid(progress) THEN progress ->> '$.begunAt' END IS NULL`,
  );
  const findMembers = database.prepare(
    `SELECT seq FROM calls INDEXED BY calls_chunk
     WHERE chunk = ? AND wants & ${want.chunk} ORDER BY seq LIMIT ${releasedAStep}`,
  );
  const forget = database.prepare('DELETE FROM chunks WHERE id = ?');

  const readOpen = (): OpenChunk | undefined => {
    const row = findOpen.get();
    return (
      row && {
        id: Number(row['id']),
        beganAt: Number(row['began_at']),
        calls: Number(row['calls']),
        bytes: Number(row['bytes']),
      }
    );
  };
  let open = readOpen();
  const readAgain = () => {
    open = readOpen();
  };

  const isFull = ({ calls, bytes }: OpenChunk, more: number) =>
    calls >= mostCalls || (calls > 0 && bytes + more > mostBytes);
  const isOld = ({ calls, beganAt }: OpenChunk, now: number) =>
    now - beganAt >= Math.max(shortestOpen, longestOpen * (1 - calls / many));

  const closeOpen = (now: number) => {
    if (open === undefined) return;
    transactions.onUndo(readAgain);
    close.run(now, now, open.id);
    open = undefined;
  };

  return {
    chunkFor: (bytes, now) => {
      // None is taken while MLflow is held or away. Posts may come with times a little out of order.
      if (open !== undefined && (isFull(open, bytes) || isOld(open, now))) closeOpen(now);
      transactions.onUndo(readAgain);
      open ??= {
        id: Number(begin.run(now, now, now).lastInsertRowid),
        beganAt: now,
        calls: 0,
        bytes: 0,
      };
      grow.run(bytes, now, open.id);
      open.calls += 1;
      open.bytes += bytes;
      return open.id;
    },
    take: (destination, now, closeNow) => {
      // By a clock that was set back nobody knows how old it is.
      const isDue = ({ beganAt }: OpenChunk) => closeNow || now < beganAt;
      if (open !== undefined && (isDue(open) || isFull(open, 0) || isOld(open, now))) {
        closeOpen(now);
      }
      pullIn.run(now, now + longestWait);
      if (closeNow) hurry.run(now);
      const row = findDue.get(now);
      if (row === undefined) return undefined;
      const progress = row['progress'];
      return {
        id: Number(row['id']),
        calls: Number(row['calls']),
        beganAt: Number(row['began_at']),
        endedAt: Number(row['ended_at']),
        attempts: Number(row['attempts']),
        ...(typeof progress === 'string' && { progress: readProgress(progress, destination) }),
      };
    },
    page: (chunk, after) => {
      const calls: ChunkedCall[] = [];
      const damaged: number[] = [];
      let bytes = 0;
      for (const row of findCalls.iterate(chunk, after)) {
        assertWants(row, want.chunk);
        const record = readJoinedRecord(row);
        if (record === undefined) {
          damaged.push(Number(row['seq']));
          continue;
        }
        const body = row['body'];
        const isSound = body instanceof Uint8Array && crc32(body) === Number(row['body_crc']);
        calls.push({
          seq: Number(row['seq']),
          receivedAt: Number(row['received_at']),
          record,
          bodyBytes: Number(row['body_bytes'] ?? 0),
          ...(isTraced(row) && { isTraced: true }),
          ...(isSound && { body }),
          ...(typeof row['run_id'] === 'string' && { runId: row['run_id'] }),
          ...(typeof row['sample_rate'] === 'number' && { sampleRate: row['sample_rate'] }),
        });
        bytes += String(row['record']).length + (isSound ? body.length : 0);
        if (bytes >= pageBytes) break;
      }
      for (const seq of damaged) settler.damaged(seq, Date.now());
      return calls;
    },
    progress: (chunk, progress) => {
      setProgress.run(JSON.stringify(progress), chunk);
    },
    postpone: (chunk, { dueAt, attempts, progress }) => {
      setPostponed.run(Math.ceil(dueAt), attempts, JSON.stringify(progress), chunk);
    },
    settle: (chunk, end) => {
      if (setEnded.run(ended[end], chunk).changes === 0) return;
      ledger.add(end === 'kept' ? 'chunks' : 'chunks_given_up', 1);
      ledger.add('second_runs_deleted', Number(findSecondRuns.get(chunk)?.['n'] ?? 0));
    },
    release: (now) => {
      const row = findEnded.get();
      if (row === undefined) return false;
      const id = Number(row['id']);
      const members = findMembers.all(id);
      const lost = row['ended'] === ended.kept ? undefined : 'chunk_rejected';
      for (const { seq } of members) settler.gotWhatItWanted(Number(seq), want.chunk, now, lost);
      if (members.length < releasedAStep && forget.run(id).changes === 0) {
        throw new JournalError('JOURNAL_DAMAGED', `chunk ${id} of the journal is not in its place`);
      }
      return true;
    },
  };
}
