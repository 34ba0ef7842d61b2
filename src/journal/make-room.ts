import type { DatabaseSync } from 'node:sqlite';
import { JournalError } from './journal.ts';
import type { Ledger } from './ledger.ts';
import type { Settler } from './settle-calls.ts';
import type { Space } from './space.ts';
import type { Traces } from './traces.ts';
import type { Transactions } from './transactions.ts';

/**
 * Gives detail up, where the journal has no room for more calls, in a fixed order: recorded calls
 * that are kept for replay, traces that have not been sent, what is kept of dead letters, then the bodies
 * of pending successes, then those of pending failures, each the oldest first. Records stay: no count,
 * token or cent is ever given up.
 *
 * @returns Whether a post of `bytes` fits by now.
 * @throws JournalError `JOURNAL_DAMAGED` where what it would give up would be found for ever.
 */
export type MakeRoom = (bytes: number, now: number) => boolean;

const forgottenAStep = 500;
const shedAStep = 50;

const bodies = (condition: string) => ({
  find: `SELECT seq AS id FROM calls JOIN payloads USING (seq)
         WHERE ${condition} AND body IS NOT NULL AND seq > ? ORDER BY seq LIMIT ${shedAStep}`,
  shed: 'UPDATE payloads SET body = NULL WHERE seq = ?',
});

/** What is given up after the recorded calls, in this order. */
const details = [
  {
    find: `SELECT id FROM dead_letters WHERE kept IS NOT NULL AND id > ? ORDER BY id LIMIT ${shedAStep}`,
    shed: 'UPDATE dead_letters SET kept = NULL WHERE id = ?',
  },
  bodies('state = 2'),
  bodies('state IN (0, 3, 4) AND failed = 0'),
  bodies('state IN (0, 3, 4) AND failed = 1'),
];

export function createMakeRoom(
  database: DatabaseSync,
  ledger: Pick<Ledger, 'add'>,
  settler: Pick<Settler, 'forgetRecorded'>,
  space: Pick<Space, 'admits' | 'couldAdmit'>,
  transactions: Pick<Transactions, 'onUndo'>,
  traces: Pick<Traces, 'shed'>,
): MakeRoom {
  const shedders = details.map((detail) => {
    const find = database.prepare(detail.find);
    const shed = database.prepare(detail.shed);
    /** Where the search goes on, so that it need not pass what is gone each time. */
    let shedUpTo = 0;
    return () => {
      const ids = find.all(shedUpTo).map((row) => Number(row['id']));
      const before = shedUpTo;
      transactions.onUndo(() => {
        shedUpTo = before;
      });
      for (const id of ids) {
        // Rows come in their order: one that damage put elsewhere would be found for ever.
        if (id <= shedUpTo) {
          throw new JournalError('JOURNAL_DAMAGED', `row ${id} of the journal is out of its order`);
        }
        shed.run(id);
        shedUpTo = id;
      }
      ledger.add('bodies_shed', ids.length);
      return ids.length;
    };
  });
  const forgetRecorded = (now: number) =>
    settler.forgetRecorded(Number.MAX_SAFE_INTEGER, forgottenAStep, now);

  /** A call that wanted nothing else is recorded then, and can be forgotten. */
  const shedTraces = (now: number) => {
    const shed = traces.shed(now);
    forgetRecorded(now);
    return shed;
  };

  return (bytes, now) => {
    // Giving up all there is would be in vain.
    if (!space.couldAdmit(bytes)) return false;
    for (const step of [forgetRecorded, shedTraces, ...shedders]) {
      while (!space.admits(bytes) && step(now) > 0);
    }
    return space.admits(bytes);
  };
}
