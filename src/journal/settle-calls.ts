import type { DatabaseSync } from 'node:sqlite';
import { callState, want, wantsAll } from './call-state.ts';
import type { DeadLetters } from './dead-letters.ts';
import { JournalError, type Settlement } from './journal.ts';
import type { Ledger } from './ledger.ts';
import { assertWants, runIdColumn } from './read-record.ts';
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
  /**
   * A call wants something less: it ends when that was the last. `lost`: it did not get it, so that one
   * without a run is nowhere, and is counted as shed for this reason.
   *
   * @throws JournalError `JOURNAL_DAMAGED` where it does not want it: an index that led to it is damaged.
   */
  gotWhatItWanted(seq: number, wanted: number, now: number, lost?: string): void;
  /** The record of a call that waits cannot be read: it wants nothing more, and is dead. */
  damaged(seq: number, now: number): void;
  /** Forgets a dead call, once it wants nothing; its id is remembered. */
  forgetCall(seq: number, now: number): void;
  /**
   * Forgets up to `limit` calls that were recorded before `before`; answers how many.
   *
   * @throws JournalError `JOURNAL_DAMAGED` where the index of them names one that is not recorded.
   */
  forgetRecorded(before: number, limit: number, now: number): number;
}

/** Ends calls, and later forgets them; their ids go to the memory of ids. */
export function createSettler(parts: SettleParts): Settler {
  const { database, ledger, deadLetters, taken, seen } = parts;
  const setState = database.prepare(
    'UPDATE calls SET state = ?, settled_at = ? WHERE seq = ? AND state = ?',
  );
  const findWants = database.prepare(
    `SELECT state, wants, ${runIdColumn} FROM calls c WHERE seq = ?`,
  );
  const setWants = database.prepare('UPDATE calls SET wants = ? WHERE seq = ?');
  const findRecorded = database.prepare(
    `SELECT seq FROM calls INDEXED BY calls_settled
     WHERE state = 1 AND settled_at < ? ORDER BY settled_at LIMIT ?`,
  );
  const findOne = database.prepare('SELECT record_id, state FROM calls WHERE seq = ?');
  const deleteCall = database.prepare('DELETE FROM calls WHERE seq = ?');
  const setProgress = database.prepare('UPDATE calls SET progress = ? WHERE seq = ?');
  // The run of a replay that did not send a create was there before.
  const findHistory = database.prepare(
    `SELECT progress ->> '$.again' IS NOT NULL AS is_again,
       progress ->> '$.replayed' IS NOT NULL AND progress ->> '$.resent' IS NULL AS was_there,
       progress ->> '$.secondRunsDeleted' AS second_runs_deleted
     FROM calls WHERE seq = ? AND json_valid(progress)`,
  );
  const deletePayload = database.prepare('DELETE FROM payloads WHERE seq = ?');

  /** A call that stayed would be found for ever: one that cannot be remembered is damage. */
  const forget = (seq: number, now: number) => {
    const row = findOne.get(seq);
    if (row === undefined) return;
    const recordId = row['record_id'];
    if (!(recordId instanceof Uint8Array)) {
      throw new JournalError('JOURNAL_DAMAGED', `the id of call ${seq} of the journal is damaged`);
    }
    seen.add(Buffer.from(recordId), now);
    deletePayload.run(seq);
    deleteCall.run(seq);
  };
  const wantsOf = (seq: number) => Number(findWants.get(seq)?.['wants'] ?? 0) & wantsAll;
  const endRun = (seq: number, state: number, now: number, deletedRuns: number): boolean => {
    taken.giveBack(seq);
    if (setState.run(state, now, seq, callState.pending).changes === 0) return false;
    ledger.add('second_runs_deleted', deletedRuns);
    return true;
  };
  const wantLess = (seq: number, before: number, wanted: number): number => {
    const wants = before & wantsAll & ~wanted;
    setWants.run(wants, seq);
    if (before & ~wants & want.chunk) ledger.add('chunk_waiting', -1);
    if (before & ~wants & want.trace) ledger.add('traces_waiting', -1);
    return wants;
  };
  const nowRecorded = () => {
    ledger.add('pending', -1);
    ledger.add('recorded', 1);
  };

  return {
    settle: (seq, asked, now) => {
      // What becomes of a second run changes nothing in the account of the call.
      const history = findHistory.get(seq);
      const deletedRuns = Number(history?.['second_runs_deleted'] ?? 0);
      const settlement: Settlement =
        asked.kind !== 'recorded' && history?.['is_again'] === 1 ? { kind: 'recorded' } : asked;
      const isWanted = wantsOf(seq) !== 0;
      switch (settlement.kind) {
        case 'recorded':
          if (!endRun(seq, isWanted ? callState.waiting : callState.recorded, now, deletedRuns))
            return;
          if (settlement.progress) setProgress.run(JSON.stringify(settlement.progress), seq);
          if (asked.kind === 'recorded' && history?.['was_there'] !== 1) ledger.add('runs', 1);
          if (!isWanted) nowRecorded();
          break;
        case 'dead':
          if (!endRun(seq, callState.dead, now, deletedRuns)) return;
          ledger.add('pending', -1);
          ledger.add('dead', 1);
          deadLetters.call({ seq, reason: settlement.reason, detail: settlement.detail }, now);
          break;
        case 'shed':
          if (!endRun(seq, callState.gone, now, deletedRuns)) return;
          ledger.add('pending', -1);
          ledger.add(`shed:${settlement.reason}`, 1);
          if (!isWanted) forget(seq, now);
          break;
      }
    },
    gotWhatItWanted: (seq, wanted, now, lost) => {
      const row: Record<string, unknown> = { seq, ...findWants.get(seq) };
      assertWants(row, wanted);
      const wants = wantLess(seq, Number(row['wants']), wanted);
      if (wants !== 0) return;
      const isNowhere = lost !== undefined && row['run_id'] === null;
      if (row['state'] === callState.gone) forget(seq, now);
      else if (row['state'] === callState.waiting && isNowhere) {
        ledger.add('pending', -1);
        ledger.add(`shed:${lost}`, 1);
        forget(seq, now);
      } else if (setState.run(callState.recorded, now, seq, callState.waiting).changes > 0) {
        nowRecorded();
      }
    },
    damaged: (seq, now) => {
      const row = findWants.get(seq);
      if (row === undefined) return;
      wantLess(seq, Number(row['wants']), wantsAll);
      if (row['state'] === callState.gone) forget(seq, now);
      else if (setState.run(callState.dead, now, seq, callState.waiting).changes > 0) {
        ledger.add('pending', -1);
        ledger.add('dead', 1);
        deadLetters.call({ seq, reason: 'damaged', detail: 'its checksum is wrong' }, now);
      }
    },
    forgetCall: (seq, now) => {
      if (wantsOf(seq) === 0) forget(seq, now);
      else setState.run(callState.gone, now, seq, callState.dead);
    },
    forgetRecorded: (before, limit, now) => {
      const rows = findRecorded.all(before, limit);
      for (const row of rows) {
        const seq = Number(row['seq']);
        // The search trusts its index; a call that is pending would be lost.
        if (findOne.get(seq)?.['state'] !== callState.recorded) {
          throw new JournalError('JOURNAL_DAMAGED', 'the index of what is recorded is damaged');
        }
        forget(seq, now);
      }
      return rows.length;
    },
  };
}
