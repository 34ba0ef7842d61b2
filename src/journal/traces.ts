import type { DatabaseSync } from 'node:sqlite';
import { want } from './call-state.ts';
import type { TracedCall } from './detail.ts';
import type { Ledger } from './ledger.ts';
import { readRecord, runIdColumn } from './read-record.ts';
import type { Settler } from './settle-calls.ts';

/** Calls that want a trace: see `journal.ts`. */
export interface Traces {
  /** Whether calls that come want one. */
  areWanted(): boolean;
  take(limit: number, now: number, after: number): TracedCall[];
  ended(seqs: readonly number[], end: 'kept' | 'given up', now: number): void;
  waive(): void;
  /** Lets some calls go that need no trace after all; whether there are more. */
  release(now: number): boolean;
}

const releasedAStep = 500;
/** Rows that are looked at for calls of one experiment. */
const mostLooks = 1_000;

/** @param wanted Whether the settings want traces. */
export function createTraces(
  database: DatabaseSync,
  settler: Settler,
  ledger: Ledger,
  wanted: () => boolean,
): Traces {
  const find = database.prepare(
    `SELECT c.seq, c.received_at, c.experiment, c.trace_begun, ${runIdColumn}, p.record,
       p.record_crc, length(p.body) AS body_bytes
     FROM calls c INDEXED BY calls_trace JOIN payloads p USING (seq)
     WHERE c.wants & ${want.trace} AND c.seq > ? ORDER BY c.seq LIMIT ${mostLooks}`,
  );
  const begin = database.prepare('UPDATE calls SET trace_begun = ? WHERE seq = ?');
  const findAny = database.prepare(
    `SELECT seq FROM calls INDEXED BY calls_trace
     WHERE wants & ${want.trace} ORDER BY seq LIMIT ${releasedAStep}`,
  );
  let areWaived = false;
  const areWanted = () => wanted() && !areWaived;

  return {
    areWanted,
    take: (limit, now, after) => {
      const calls: TracedCall[] = [];
      for (const row of find.all(after)) {
        const record = readRecord(row);
        const seq = Number(row['seq']);
        if (record === undefined) {
          settler.gotWhatItWanted(seq, want.trace, now);
          continue;
        }
        const experiment = String(row['experiment']);
        if (calls[0] !== undefined && calls[0].experiment !== experiment) continue;
        begin.run(now, seq);
        calls.push({
          seq,
          receivedAt: Number(row['received_at']),
          experiment,
          record,
          bodyBytes: Number(row['body_bytes'] ?? 0),
          begunBefore: row['trace_begun'] !== null,
          ...(typeof row['run_id'] === 'string' && { runId: row['run_id'] }),
        });
        if (calls.length === limit) break;
      }
      return calls;
    },
    ended: (seqs, end, now) => {
      for (const seq of seqs) settler.gotWhatItWanted(seq, want.trace, now);
      if (end === 'kept') ledger.add('traces', seqs.length);
    },
    waive: () => {
      areWaived = true;
    },
    release: (now) => {
      if (areWanted()) return false;
      const rows = findAny.all();
      for (const { seq } of rows) settler.gotWhatItWanted(Number(seq), want.trace, now);
      return rows.length === releasedAStep;
    },
  };
}
