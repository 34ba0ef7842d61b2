import { crc32 } from 'node:zlib';
import type { CallRecord } from '../call/call-record.ts';
import { parseJson } from '../call/parse-json.ts';
import { want } from './call-state.ts';
import { JournalError } from './journal.ts';

/** A record is what this program wrote, as long as its checksum holds. */
export function readRecord(row: Record<string, unknown>): CallRecord | undefined {
  const { record, record_crc } = row;
  if (typeof record !== 'string' || crc32(record) !== Number(record_crc)) return undefined;
  return parseJson(record) as CallRecord;
}

/**
 * The same of a call's row, to which its payload was joined from the left. Where the row has the call's
 * `record_id`, its record has to have the same: else one call would be recorded in another's run.
 *
 * @throws JournalError `JOURNAL_DAMAGED` where there is none, or another call's: the search tree of the
 *   payloads leads elsewhere, or a number is wrong. A salvage reads them all, and finds it.
 */
export function readJoinedRecord(row: Record<string, unknown>): CallRecord | undefined {
  if (row['record'] === null) {
    throw new JournalError('JOURNAL_DAMAGED', `call ${row['seq']} of the journal has no payload`);
  }
  const record = readRecord(row);
  const id = row['record_id'];
  const isOthers = record !== undefined && id instanceof Uint8Array && !isOf(record, id);
  if (isOthers) {
    throw new JournalError(
      'JOURNAL_DAMAGED',
      `call ${row['seq']} of the journal has another's payload`,
    );
  }
  return record;
}

function isOf({ recordId }: CallRecord, id: Uint8Array): boolean {
  return Buffer.from(recordId, 'hex').equals(id);
}

/**
 * Holds a call's row against the index that led to it, which searches trust: one that wants nothing any
 * more would be found for ever.
 *
 * @throws JournalError `JOURNAL_DAMAGED` where the row does not want it.
 */
export function assertWants({ seq, wants }: Record<string, unknown>, wanted: number): void {
  if ((Number(wants) & wanted) !== 0) return;
  throw new JournalError('JOURNAL_DAMAGED', `an index of the journal contradicts call ${seq}`);
}

/**
 * The run that a call has, where it is known: while it is replayed the one of before. For a statement
 * that calls the table `c`.
 */
export const runIdOf =
  "CASE WHEN json_valid(c.progress) THEN coalesce(c.progress ->> '$.runId', c.progress ->> '$.earlierRunId') END";

/** The same as a column. */
export const runIdColumn = `${runIdOf} AS run_id`;

/** Whether a call has a trace or is to get one, by its columns `wants` and `trace_begun`. */
export function isTraced({ wants, trace_begun }: Record<string, unknown>): boolean {
  return trace_begun !== null || (Number(wants) & want.trace) !== 0;
}
