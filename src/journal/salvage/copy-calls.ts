import type { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { lanes } from '../../admit/run-choice.ts';
import type { CallRecord } from '../../call/call-record.ts';
import { callState, want, wantsAll } from '../call-state.ts';
import { readRecord } from '../read-record.ts';
import { findOwnRow } from './find-own-row.ts';
import { type Row, readableRows } from './readable-rows.ts';

export interface CopyParts {
  from: DatabaseSync;
  to: DatabaseSync;
  /** The largest number of a call that is looked for. */
  last: number;
  experimentOf: (record: CallRecord) => string;
  now: number;
}

export interface CopiedCalls {
  calls: number;
  bodiesLost: number;
}

/** Rows that share a commit; what was copied before a failure is thrown away in any case. */
const aCommit = 500;
const maxState = Math.max(...Object.values(callState));

/**
 * Copies the calls whose record can be read and has the right checksum. Where a call's own row is
 * gone, it is made from the record, and pending: it is looked for in MLflow before it is sent.
 */
export function copyCalls({ from, to, last, experimentOf, now }: CopyParts): CopiedCalls {
  const insertCall = to.prepare(
    `INSERT OR IGNORE INTO calls
       (seq, record_id, state, failed, received_at, due_at, attempts, settled_at, experiment, progress,
        lane, sample_rate, wants, chunk, trace_begun)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const insertPayload = to.prepare(
    'INSERT INTO payloads (seq, record, record_crc, body, body_crc) VALUES (?, ?, ?, ?, ?)',
  );
  const insertExperiment = to.prepare('INSERT OR IGNORE INTO experiments (name) VALUES (?)');
  const copied: CopiedCalls = { calls: 0, bodiesLost: 0 };
  const ownRow = findOwnRow(from, last);

  to.exec('BEGIN');
  for (const payload of readableRows(from, 'SELECT * FROM payloads', 'seq', last)) {
    const record = readRecord(payload);
    if (record === undefined) continue;
    const recordId = Buffer.from(record.recordId, 'hex');
    const row = ownRow(Number(payload['seq']), recordId);
    const seq = Number(row['seq'] ?? payload['seq']);
    const detail = detailOf(row, now);
    const state = stateOf(row, detail.wants);
    const experiment = textOf(row, 'experiment') ?? experimentOf(record);
    const { changes } = insertCall.run(
      seq,
      recordId,
      state,
      record.status === 'failure' ? 1 : 0,
      timeOf(row, 'received_at', now),
      now,
      0,
      state === 0 ? null : timeOf(row, 'settled_at', now),
      experiment,
      progressOf(row),
      ...Object.values(detail),
    );
    if (changes === 0) continue;
    const body = soundBody(payload);
    if (body === null && payload['body'] !== null) copied.bodiesLost += 1;
    insertPayload.run(
      seq,
      String(payload['record']),
      Number(payload['record_crc']),
      body,
      body && crc32(body),
    );
    insertExperiment.run(experiment);
    copied.calls += 1;
    if (copied.calls % aCommit === 0) to.exec('COMMIT; BEGIN');
  }
  to.exec('COMMIT');
  return copied;
}

function soundBody({ body, body_crc }: Row): Uint8Array | null {
  return body instanceof Uint8Array && crc32(body) === Number(body_crc) ? body : null;
}

function stateOf(row: Row, wants: number): number {
  const state = Number(row['state'] ?? callState.pending);
  if (!Number.isInteger(state) || state < 0 || state > maxState) return callState.pending;
  const waitsForNothing = wants === 0 && (state === callState.waiting || state === callState.gone);
  return waitsForNothing ? callState.recorded : state;
}

function textOf(row: Row, column: string): string | undefined {
  const value = row[column];
  return typeof value === 'string' ? value : undefined;
}

/** A time gone by. */
function timeOf(row: Row, column: string, now: number): number {
  const time = Number(row[column]);
  return time > 0 && time <= now ? time : now;
}

function progressOf(row: Row): string | null {
  const text = textOf(row, 'progress');
  if (text === undefined) return null;
  try {
    JSON.parse(text);
    return text;
  } catch {
    return null;
  }
}

/** In the order of the columns. That its trace was begun is taken for granted. */
function detailOf(row: Row, now: number) {
  const { lane, sample_rate: rate, chunk } = row;
  const hasChunk = typeof chunk === 'number' && chunk > 0;
  const wants = Number(row['wants'] ?? 0) & (hasChunk ? wantsAll : want.trace);
  return {
    lane: typeof lane === 'number' && inOrder.includes(lane) ? lane : lanes.sampled,
    sampleRate: typeof rate === 'number' && rate > 0 && rate <= 1 ? rate : null,
    wants,
    chunk: hasChunk ? chunk : null,
    traceBegun: wants & want.trace ? now : null,
  };
}

const inOrder: readonly number[] = Object.values(lanes);
