import type { DatabaseSync } from 'node:sqlite';
import { want } from './call-state.ts';
import type { TracedCall } from './detail.ts';
import type { Ledger } from './ledger.ts';
import { assertWants, readJoinedRecord, runIdColumn } from './read-record.ts';
import type { Settler } from './settle-calls.ts';

/** Calls that want a trace: see `journal.ts`. */
export interface Traces {
  /** Whether calls that come want one. */
  areWanted(): boolean;
  wanting(limit: number, after: number): TracedCall[];
  begin(seqs: readonly number[], now: number): void;
  ended(seqs: readonly number[], end: 'kept' | 'given up', now: number): void;
  waive(isWaived: boolean): void;
  isWaived(): boolean;
  /** Lets some calls go that need no trace after all; whether there are more. */
  release(now: number): boolean;
  /** Gives some traces up for want of room, the oldest first; answers how many. */
  shed(now: number): number;
}

const aStep = 500;
/** More calls than so many do not wait for their traces: a server that is so far behind will not catch up. */
const mostWaiting = 200_000;

/** @param wanted Whether the settings want traces. */
export function createTraces(
  database: DatabaseSync,
  settler: Settler,
  ledger: Ledger,
  wanted: () => boolean,
): Traces {
  const find = database.prepare(
    `SELECT c.seq, c.record_id, c.received_at, c.experiment, c.wants, c.trace_begun, ${runIdColumn}, p.record,
       p.record_crc, length(p.body) AS body_bytes
     FROM calls c INDEXED BY calls_trace LEFT JOIN payloads p USING (seq)
     WHERE c.wants & ${want.trace} AND c.seq > ? ORDER BY c.seq LIMIT ?`,
  );
  const begin = database.prepare(
    'UPDATE calls SET trace_begun = ? WHERE seq = ? AND trace_begun IS NULL',
  );
  const findAny = database.prepare(
    `SELECT seq FROM calls INDEXED BY calls_trace
     WHERE wants & ${want.trace} ORDER BY seq LIMIT ${aStep}`,
  );
  const findWants = database.prepare('SELECT wants FROM calls WHERE seq = ?');
  const unbegin = database.prepare('UPDATE calls SET trace_begun = NULL WHERE seq = ?');
  let areWaived = false;
  const areWanted = () => wanted() && !areWaived && ledger.count('traces_waiting') < mostWaiting;

  const letGo = (now: number): number => {
    const rows = findAny.all();
    for (const { seq } of rows) settler.gotWhatItWanted(Number(seq), want.trace, now);
    return rows.length;
  };

  return {
    areWanted,
    wanting: (limit, after) =>
      find.all(after, limit).flatMap((row): TracedCall[] => {
        assertWants(row, want.trace);
        const record = readJoinedRecord(row);
        const seq = Number(row['seq']);
        if (record === undefined) {
          settler.damaged(seq, Date.now());
          return [];
        }
        return [
          {
            seq,
            receivedAt: Number(row['received_at']),
            experiment: String(row['experiment']),
            record,
            bodyBytes: Number(row['body_bytes'] ?? 0),
            begunBefore: row['trace_begun'] !== null,
            ...(typeof row['run_id'] === 'string' && { runId: row['run_id'] }),
          },
        ];
      }),
    begin: (seqs, now) => {
      for (const seq of seqs) begin.run(now, seq);
    },
    ended: (seqs, end, now) => {
      for (const seq of seqs) {
        // What is written of the call from now on names no trace.
        if (end === 'given up') unbegin.run(seq);
        // While it was sent, it may have been given up for want of room.
        const wants = Number(findWants.get(seq)?.['wants'] ?? 0);
        if (wants & want.trace) settler.gotWhatItWanted(seq, want.trace, now);
      }
      ledger.add(end === 'kept' ? 'traces' : 'traces_given_up', seqs.length);
    },
    waive: (isWaived) => {
      areWaived = isWaived;
    },
    isWaived: () => areWaived,
    release: (now) => {
      if (wanted() && !areWaived) return false;
      return letGo(now) === aStep;
    },
    shed: (now) => {
      const shed = letGo(now);
      ledger.add('traces_given_up', shed);
      return shed;
    },
  };
}
