import type { DatabaseSync } from 'node:sqlite';
import type { DeadLetters } from './dead-letters.ts';
import type { Settlement } from './journal.ts';
import type { Ledger } from './ledger.ts';
import type { SeenIds } from './seen-ids.ts';
import type { Taken } from './taken.ts';

export interface SettleParts {
  database: DatabaseSync;
  ledger: Ledger;
  deadLetters: DeadLetters;
  taken: Taken;
  seen: SeenIds;
}

export interface Settler {
  settle(seq: number, settlement: Settlement, now: number): void;
  /** Forgets a call that has ended; its id is remembered. */
  forgetCall(seq: number, now: number): void;
  /** Forgets up to `limit` calls that were recorded before `before`; answers how many. */
  forgetRecorded(before: number, limit: number, now: number): number;
}

const recorded = 1;
const dead = 2;

/** Ends calls, and later forgets them; their ids go to the memory of ids. */
export function createSettler(parts: SettleParts): Settler {
  const { database, ledger, deadLetters, taken, seen } = parts;
  const setState = database.prepare(
    'UPDATE calls SET state = ?, settled_at = ? WHERE seq = ? AND state = 0',
  );
  const findRecorded = database.prepare(
    'SELECT seq, record_id FROM calls WHERE state = 1 AND settled_at < ? ORDER BY settled_at LIMIT ?',
  );
  const findOne = database.prepare('SELECT seq, record_id FROM calls WHERE seq = ?');
  const deleteCall = database.prepare('DELETE FROM calls WHERE seq = ?');
  const findAgain = database.prepare(
    "SELECT 1 FROM calls WHERE seq = ? AND json_valid(progress) AND progress ->> '$.again' IS NOT NULL",
  );
  const deletePayload = database.prepare('DELETE FROM payloads WHERE seq = ?');

  const forget = (row: Record<string, unknown> | undefined, now: number) => {
    const recordId = row?.['record_id'];
    if (!(recordId instanceof Uint8Array)) return;
    const seq = Number(row?.['seq']);
    seen.add(Buffer.from(recordId), now);
    deletePayload.run(seq);
    deleteCall.run(seq);
  };

  return {
    settle: (seq, asked, now) => {
      // What becomes of a second run changes nothing in the account of the call.
      const settlement: Settlement =
        asked.kind !== 'recorded' && findAgain.get(seq) ? { kind: 'recorded' } : asked;
      const state = settlement.kind === 'dead' ? dead : recorded;
      taken.giveBack(seq);
      if (setState.run(state, now, seq).changes === 0) return;
      ledger.add('pending', -1);
      switch (settlement.kind) {
        case 'recorded':
          ledger.add('recorded', 1);
          break;
        case 'dead':
          ledger.add('dead', 1);
          deadLetters.call({ seq, reason: settlement.reason, detail: settlement.detail }, now);
          break;
        case 'shed':
          ledger.add(`shed:${settlement.reason}`, 1);
          forget(findOne.get(seq), now);
          break;
      }
    },
    forgetCall: (seq, now) => forget(findOne.get(seq), now),
    forgetRecorded: (before, limit, now) => {
      const rows = findRecorded.all(before, limit);
      for (const row of rows) forget(row, now);
      return rows.length;
    },
  };
}
