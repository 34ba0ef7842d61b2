import type { DatabaseSync } from 'node:sqlite';
import { numberOf } from './open-database.ts';

/**
 * What is counted. `shed:REASON` names why a call's record was given up. `unvetted`, beside the sum:
 * calls whose body was given up because the external redactor failed; `runs`, `chunks` and `traces`
 * that were kept, or given up; `second_runs_deleted`, of calls and of chunks; `requeued`: dead letters
 * that were tried anew; `chunk_waiting`, `traces_waiting`: calls that want one yet; `no_run:REASON`:
 * calls that were chosen to have none.
 */
export type LedgerName =
  | 'received'
  | 'accepted'
  | 'bodies_shed'
  | 'recorded'
  | 'pending'
  | 'dead'
  | 'requeued'
  | 'duplicate'
  | 'unvetted'
  | 'runs'
  | 'chunks'
  | 'traces'
  | 'chunks_given_up'
  | 'traces_given_up'
  | 'second_runs_deleted'
  | 'chunk_waiting'
  | 'traces_waiting'
  | `no_run:${string}`
  | `shed:${string}`;

/** Counts of calls that change in the transaction of what they count. */
export interface Ledger {
  add(name: LedgerName, calls: number): void;
  count(name: LedgerName): number;
  read(): ReadonlyMap<string, number>;
}

export function createLedger(database: DatabaseSync): Ledger {
  const add = database.prepare(
    'INSERT INTO ledger (name, calls) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET calls = calls + excluded.calls',
  );
  const one = database.prepare('SELECT calls FROM ledger WHERE name = ?');
  const all = database.prepare('SELECT name, calls FROM ledger');
  return {
    add: (name, calls) => {
      if (calls !== 0) add.run(name, calls);
    },
    count: (name) => Number(one.get(name)?.['calls'] ?? 0),
    read: () => new Map(all.all().map((row) => [String(row['name']), Number(row['calls'])])),
  };
}

/** How many calls are really pending; `pending` is to be the same. */
export function pendingRows(database: DatabaseSync): number {
  const sql = 'SELECT count(*) FROM calls INDEXED BY calls_pending WHERE state IN (0, 3)';
  return numberOf(database, sql);
}
