import type { DatabaseSync } from 'node:sqlite';
import { callState } from '../call-state.ts';
import { balanceLedger } from './balance-ledger.ts';
import { readableRows } from './readable-rows.ts';

/**
 * Accounts for the calls of `from` whose payload could not be copied: pending ones become dead
 * letters, recorded ones stay known by their id. Answers how many pending ones are lost, with those
 * of which nothing but their count is left.
 */
export function accountForLost(
  from: DatabaseSync,
  to: DatabaseSync,
  last: number,
  now: number,
): number {
  const isCopied = to.prepare('SELECT 1 FROM calls WHERE seq = ? OR record_id = ?');
  const addLetter = to.prepare(
    "INSERT INTO dead_letters (died_at, reason, detail) VALUES (?, 'damaged', ?)",
  );
  const addRecorded = to.prepare(
    `INSERT OR IGNORE INTO calls (seq, record_id, state, failed, received_at, due_at, settled_at, experiment)
     VALUES (?, ?, 1, 0, ?, ?, ?, '')`,
  );
  const count = to.prepare(
    'INSERT INTO ledger (name, calls) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET calls = calls + excluded.calls',
  );
  /** The ids of those that are lost; a page that was written to a wrong place tells them twice. */
  const gone = new Set<string>();
  to.exec('BEGIN');
  for (const row of readableRows(from, 'SELECT seq, record_id, state FROM calls', 'seq', last)) {
    const seq = Number(row['seq']);
    const recordId = row['record_id'];
    if (!(recordId instanceof Uint8Array) || isCopied.get(seq, recordId) !== undefined) continue;
    if (row['state'] === callState.pending || row['state'] === callState.waiting) {
      const id = Buffer.from(recordId).toString('hex');
      if (!gone.has(id)) addLetter.run(now, `call ${id} could not be read any more`);
      gone.add(id);
    } else if (row['state'] === callState.recorded) addRecorded.run(seq, recordId, now, now, now);
  }
  count.run('dead', gone.size);
  count.run('pending', -gone.size);
  const lost = gone.size + balanceLedger(to);
  to.exec('COMMIT');
  return lost;
}
