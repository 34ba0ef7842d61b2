import type { DatabaseSync } from 'node:sqlite';
import { lanes } from '../admit/run-choice.ts';
import { callState } from './call-state.ts';
import { anyDestination, type Progress, type ReplayRequest } from './journal.ts';
import type { Ledger } from './ledger.ts';
import { runIdOf } from './read-record.ts';

/**
 * Makes recorded calls that are still kept pending again, behind all that are pending already.
 *
 * Each counts as begun long ago, so that its run is searched for before anything is sent: one that
 * is complete is left alone, one that is not is completed, an absent one made. With `again` each
 * gets another run, whatever became of the first. Until then the run that it had stays its own for its
 * chunk and its trace.
 */
export function createReplay(database: DatabaseSync, ledger: Ledger) {
  const revive = database.prepare(`
    UPDATE calls AS c SET state = 0, lane = ${lanes.replay}, due_at = :now, attempts = 0, settled_at = NULL,
      progress = json_patch(:progress, json_object('earlierRunId', ${runIdOf}))
    WHERE state = :state AND seq IN (
      SELECT seq FROM calls JOIN payloads p USING (seq)
      WHERE state = :state
        AND (:from IS NULL OR received_at >= :from) AND (:to IS NULL OR received_at < :to)
        AND (:failed IS NULL OR failed = :failed)
        AND (:model IS NULL OR json_valid(record)
          AND :model IN (record ->> '$.model', record ->> '$.modelGroup'))
        AND (:team IS NULL OR json_valid(record)
          AND :team IN (record ->> '$.caller.teamId', record ->> '$.caller.teamAlias'))
    )`);

  return (request: ReplayRequest, now: number): { replayed: number } => {
    const { from = null, to = null, model = null, team = null, status, again = false } = request;
    const failed = status === undefined ? null : Number(status === 'failure');
    const progress: Progress = {
      destination: anyDestination,
      ...(again ? { again: now } : { begunAt: 0, replayed: true }),
    };
    const reviveThose = (state: number) =>
      Number(
        revive.run({
          state,
          now,
          progress: JSON.stringify(progress),
          from,
          to,
          failed,
          model,
          team,
        }).changes,
      );
    const recorded = reviveThose(callState.recorded);
    ledger.add('recorded', -recorded);
    ledger.add('pending', recorded);
    // Those that wait for their chunk are pending already.
    return { replayed: recorded + reviveThose(callState.waiting) };
  };
}
