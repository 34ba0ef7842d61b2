import type { DatabaseSync } from 'node:sqlite';
import { anyDestination } from '../journal.ts';

/**
 * Marks each pending call and each chunk without a run as begun just now, wherever: its progress may be
 * among what is missing, so it is searched for before anything is sent.
 */
export function markUnclear(database: DatabaseSync, now: number): void {
  database
    .prepare(
      `UPDATE calls SET progress = json_object('destination', ?, 'begunAt', ?,
         'again', CASE WHEN json_valid(progress) THEN progress ->> '$.again' END)
       WHERE state = 0 AND CASE WHEN json_valid(progress) THEN progress ->> '$.runId' END IS NULL`,
    )
    .run(anyDestination, now);
  database
    .prepare(
      `UPDATE chunks SET progress = json_object('destination', ?, 'begunAt', ?,
         'experiment', CASE WHEN json_valid(progress) THEN progress ->> '$.experiment' END)
       WHERE ended = 0 AND CASE WHEN json_valid(progress) THEN progress ->> '$.runId' END IS NULL`,
    )
    .run(anyDestination, now);
}
