import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Ledger } from './ledger.ts';
import type { Settler } from './settle-calls.ts';
import type { Space } from './space.ts';

/**
 * Gives detail up, where the journal has no room for more calls, in a fixed order: recorded calls
 * that are kept for replay, then the bodies of pending successes, then those of pending failures,
 * each the oldest first. Records stay: no count, token or cent is ever given up.
 *
 * @returns Whether a post of `bytes` fits by now.
 */
export type MakeRoom = (bytes: number, now: number) => boolean;

const forgottenAStep = 500;
const bodiesAStep = 50;

export function createMakeRoom(
  database: DatabaseSync,
  ledger: Ledger,
  settler: Settler,
  space: Space,
): MakeRoom {
  const shedBodies = (failed: 0 | 1): ((now: number) => number) => {
    const find: StatementSync = database.prepare(
      `SELECT seq FROM calls JOIN payloads USING (seq)
       WHERE state = 0 AND failed = ${failed} AND body IS NOT NULL AND seq > ?
       ORDER BY seq LIMIT ${bodiesAStep}`,
    );
    const shed = database.prepare('UPDATE payloads SET body = NULL WHERE seq = ?');
    /** Where the search goes on, so that it need not pass what is gone each time. */
    let shedUpTo = 0;
    return () => {
      const seqs = find.all(shedUpTo).map((row) => Number(row['seq']));
      for (const seq of seqs) shed.run(seq);
      shedUpTo = seqs.at(-1) ?? shedUpTo;
      ledger.add('bodies_shed', seqs.length);
      return seqs.length;
    };
  };
  const steps = [
    (now: number) => settler.forgetRecorded(Number.MAX_SAFE_INTEGER, forgottenAStep, now),
    shedBodies(0),
    shedBodies(1),
  ];

  return (bytes, now) => {
    for (const step of steps) {
      while (!space.admits(bytes)) {
        if (step(now) === 0) break;
      }
    }
    return space.admits(bytes);
  };
}
