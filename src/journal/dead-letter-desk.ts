import type { DatabaseSync } from 'node:sqlite';
import { parseJson } from '../call/parse-json.ts';
import type { DeadLetter, DeadLetterContent, DeadLetterFilter } from './dead-letter.ts';
import type { Ledger } from './ledger.ts';
import type { Settler } from './settle-calls.ts';

/** Looks into the dead letters, and empties them one way or the other. */
export interface DeadLetterDesk {
  list(filter: DeadLetterFilter, limit: number): DeadLetter[];
  show(id: number): DeadLetterContent | undefined;
  requeue(filter: DeadLetterFilter, now: number): { requeued: number; left: number };
  purge(filter: DeadLetterFilter, now: number): { purged: number };
}

const unlimited = -1;

export function createDeadLetterDesk(
  database: DatabaseSync,
  ledger: Ledger,
  settler: Settler,
): DeadLetterDesk {
  const find = database.prepare(`
    SELECT d.id, d.died_at, d.reason, d.detail, d.seq, d.bytes, d.sha256, lower(hex(c.record_id)) AS record_id, ${member('$.callId')} AS call_id,
      coalesce(${member('$.modelGroup')}, ${member('$.model')}) AS model,
      coalesce(${member('$.caller.teamAlias')}, ${member('$.caller.teamId')}) AS team
    FROM dead_letters d LEFT JOIN calls c USING (seq) LEFT JOIN payloads p USING (seq)
    WHERE (:ids IS NULL OR d.id IN (SELECT value FROM json_each(:ids)))
      AND (:reason IS NULL OR d.reason = :reason)
      AND (:since IS NULL OR d.died_at >= :since)
      AND (:model IS NULL OR :model IN (${member('$.model')}, ${member('$.modelGroup')}))
      AND (:team IS NULL OR :team IN (${member('$.caller.teamId')}, ${member('$.caller.teamAlias')}))
    ORDER BY d.id DESC LIMIT :limit`);
  const findPayload = database.prepare('SELECT record, body FROM payloads WHERE seq = ?');
  const findKept = database.prepare('SELECT kept FROM dead_letters WHERE id = ?');
  const revive = database.prepare(
    `UPDATE calls SET state = 0, due_at = ?, attempts = 0, settled_at = NULL,
       progress = CASE WHEN json_valid(progress) THEN json_remove(progress, '$.failures', '$.secondRunsDeleted') END
     WHERE seq = ? AND state = 2`,
  );
  const remove = database.prepare('DELETE FROM dead_letters WHERE id = ?');

  const rowsOf = (filter: DeadLetterFilter, limit: number) =>
    find.all({
      ids: filter.ids === undefined ? null : JSON.stringify(filter.ids),
      reason: filter.reason ?? null,
      since: filter.since ?? null,
      model: filter.model ?? null,
      team: filter.team ?? null,
      limit,
    });

  return {
    list: (filter, limit) => rowsOf(filter, limit).map(letterOf).map(withoutQuotes),
    show: (id) => {
      const [row] = rowsOf({ ids: [id] }, 1);
      if (row === undefined) return undefined;
      const seq = row['seq'];
      const payload = seq === null ? undefined : findPayload.get(Number(seq));
      return {
        ...letterOf(row),
        content: {
          ...(typeof payload?.['record'] === 'string' && { record: parsed(payload['record']) }),
          ...textIn('body', payload?.['body']),
          ...textIn('kept', findKept.get(id)?.['kept']),
        },
      };
    },
    requeue: (filter, now) => {
      let requeued = 0;
      let left = 0;
      for (const { id, seq } of rowsOf(filter, unlimited)) {
        if (seq === null || revive.run(now, Number(seq)).changes === 0) left += 1;
        else {
          remove.run(Number(id));
          requeued += 1;
        }
      }
      ledger.add('dead', -requeued);
      ledger.add('requeued', requeued);
      ledger.add('pending', requeued);
      return { requeued, left };
    },
    purge: (filter, now) => {
      const rows = rowsOf(filter, unlimited);
      for (const { id, seq } of rows) {
        if (seq !== null) settler.forgetCall(Number(seq), now);
        remove.run(Number(id));
      }
      return { purged: rows.length };
    },
  };
}

/** A member of a call's record; a record that is damaged has none. */
function member(path: string): string {
  return `CASE WHEN json_valid(p.record) THEN json_extract(p.record, '${path}') END`;
}

/** Behind the kind of its answer MLflow says more, and quotes values of the call at times. */
function withoutQuotes(letter: DeadLetter): DeadLetter {
  const [kind = ''] = letter.detail.split(': ', 1);
  return { ...letter, detail: kind };
}

type Row = Record<string, unknown>;

function letterOf(row: Row): DeadLetter {
  const text = (column: string, name: string) =>
    typeof row[column] === 'string' ? { [name]: row[column] } : {};
  const call = {
    recordId: String(row['record_id']),
    ...text('call_id', 'callId'),
    ...text('model', 'model'),
    ...text('team', 'team'),
  };
  return {
    id: Number(row['id']),
    diedAt: Number(row['died_at']),
    reason: String(row['reason']),
    detail: String(row['detail']),
    ...(row['seq'] !== null && { call }),
    ...(typeof row['bytes'] === 'number' && { bytes: row['bytes'] }),
    ...text('sha256', 'sha256'),
  };
}

function parsed(text: unknown): unknown {
  try {
    return typeof text === 'string' ? parseJson(text) : undefined;
  } catch {
    return undefined;
  }
}

function textIn(name: 'body' | 'kept', bytes: unknown): { body?: string; kept?: string } {
  return bytes instanceof Uint8Array ? { [name]: Buffer.from(bytes).toString('utf8') } : {};
}
