import type { DatabaseSync } from 'node:sqlite';
import type { UsageRunState } from '../../call/usage-report.ts';
import type { SentUsage, UsageRunKey } from '../journal.ts';

/** A run as it is kept; times are in Unix milliseconds. */
export interface KeptUsageRun extends UsageRunState {
  /** What came until then was sent to it. */
  sentUntil: number;
  /** Nothing more is to be sent. */
  ended: boolean;
}

/** The runs that hold usage: what another destination has is not known, and overwritten. */
export interface UsageRuns {
  find(key: UsageRunKey): KeptUsageRun;
  /** A run that is found, made or about to be made has been sent nothing. The day's tells the experiment. */
  keep(key: UsageRunKey, state: UsageRunState): void;
  sent(key: UsageRunKey, sent: SentUsage): void;
  forgetDay(day: string): void;
}

/**
 * In place of a series, as none is called: the row that has the name of the day's experiment where others
 * have the id of a run.
 */
const experimentRow = 'experiment';

export function createUsageRuns(database: DatabaseSync): UsageRuns {
  const findRun = database.prepare(
    'SELECT * FROM usage_runs WHERE day = :day AND series = :series AND destination = :destination',
  );
  const keepRun = database.prepare(
    `INSERT OR REPLACE INTO usage_runs (day, series, destination, run_id, begun_at, sent_until, ended)
     VALUES (:day, :series, :destination, :runId, :begunAt, 0, 0)`,
  );
  const setSent = database.prepare(
    `INSERT INTO usage_runs (day, series, destination, sent_until, ended)
     VALUES (:day, :series, :destination, :until, :ended)
     ON CONFLICT DO UPDATE SET sent_until = excluded.sent_until, ended = excluded.ended
     WHERE destination = excluded.destination`,
  );
  const forgetRun = database.prepare('DELETE FROM usage_runs WHERE day = ? AND series = ?');
  const forget = database.prepare('DELETE FROM usage_runs WHERE day = ?');
  return {
    find: (key) => {
      const { run_id: runId, begun_at: begunAt, ...row } = findRun.get({ ...key }) ?? {};
      const experiment = findRun.get({ ...key, series: experimentRow })?.['run_id'];
      return {
        ...(typeof experiment === 'string' && { experiment }),
        ...(typeof runId === 'string' && { runId }),
        ...(typeof begunAt === 'number' && { begunAt }),
        sentUntil: Number(row['sent_until'] ?? 0),
        ended: row['ended'] === 1,
      };
    },
    keep: (key, { runId = null, begunAt = null, experiment }) => {
      keepRun.run({ ...key, runId, begunAt });
      if (key.series !== '') return;
      if (experiment === undefined) forgetRun.run(key.day, experimentRow);
      else keepRun.run({ ...key, series: experimentRow, runId: experiment, begunAt: null });
    },
    sent: (key, { until, ended }) => {
      setSent.run({ ...key, until, ended: ended ? 1 : 0 });
    },
    forgetDay: (day) => {
      forget.run(day);
    },
  };
}
