import type { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import type { AdmittedElement } from '../admit/admit-body.ts';
import type { AdmittedCall } from '../admit/admit-call.ts';
import { type ExperimentNaming, maxExperiments } from '../admit/experiment-name.ts';
import { callState, want } from './call-state.ts';
import type { Chunks } from './chunks.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { AppendReceipt } from './journal.ts';
import type { Ledger } from './ledger.ts';
import type { Runs } from './runs.ts';
import type { SeenIds } from './seen-ids.ts';
import type { Traces } from './traces.ts';
import type { Usage } from './usage/usage.ts';

export interface AppendParts {
  runs: Pick<Runs, 'choose'>;
  /** Takes each call in; absent where nobody wants that. */
  chunks: () => Pick<Chunks, 'chunkFor'> | undefined;
  traces: Pick<Traces, 'areWanted'>;
  /** Adds up the calls that are taken in; absent where nobody wants to know. */
  usage: Pick<Usage, 'add' | 'write'> | undefined;
  database: DatabaseSync;
  ledger: Ledger;
  deadLetters: DeadLetters;
  seen: SeenIds;
  /** Asked for each call: it may change. */
  naming: () => ExperimentNaming;
}

/** Takes posted bodies into the journal, within a transaction that the caller has begun. */
export function createAppender(parts: AppendParts) {
  const { database, ledger, deadLetters, seen, naming, usage, runs, chunks, traces } = parts;
  const findCall = database.prepare('SELECT 1 FROM calls WHERE record_id = ?');
  const insertCall = database.prepare(
    `INSERT INTO calls (record_id, state, failed, received_at, due_at, settled_at, experiment, lane,
       sample_rate, wants, chunk)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const insertPayload = database.prepare(
    'INSERT INTO payloads (seq, record, record_crc, body, body_crc) VALUES (?, ?, ?, ?, ?)',
  );
  const findExperiment = database.prepare('SELECT 1 FROM experiments WHERE name = ?');
  const countExperiments = database.prepare('SELECT count(*) AS n FROM experiments');
  const insertExperiment = database.prepare('INSERT INTO experiments (name) VALUES (?)');

  const experimentOf = ({ record }: AdmittedCall): string => {
    const { nameFor, other } = naming();
    const name = nameFor(record);
    if (findExperiment.get(name) !== undefined) return name;
    if (Number(countExperiments.get()?.['n']) >= maxExperiments) return other;
    insertExperiment.run(name);
    return name;
  };

  /** `waiting` counts the calls that want a chunk or a trace: the ledger is told once a post. */
  const insert = (
    call: AdmittedCall,
    receivedAt: number,
    waiting: { chunk: number; trace: number },
  ): 'pending' | 'recorded' | 'duplicate' => {
    const recordId = Buffer.from(call.record.recordId, 'hex');
    if (findCall.get(recordId) !== undefined || seen.has(recordId)) return 'duplicate';
    const record = JSON.stringify(call.record);
    const body = call.body ?? null;
    const run = runs.choose(call.record, receivedAt);
    const chunk = chunks()?.chunkFor(record.length + (body?.length ?? 0), receivedAt);
    const wants = (chunk === undefined ? 0 : want.chunk) | (traces.areWanted() ? want.trace : 0);
    if (wants & want.chunk) waiting.chunk += 1;
    if (wants & want.trace) waiting.trace += 1;
    const state = stateOf(run !== undefined, wants);
    const { lastInsertRowid } = insertCall.run(
      recordId,
      state,
      call.record.status === 'failure' ? 1 : 0,
      receivedAt,
      receivedAt,
      state === callState.recorded ? receivedAt : null,
      experimentOf(call),
      run?.lane ?? 0,
      run?.sampleRate ?? null,
      wants,
      chunk ?? null,
    );
    insertPayload.run(lastInsertRowid, record, crc32(record), body, body && crc32(body));
    if (call.record.body === 'unvetted') ledger.add('unvetted', 1);
    usage?.add(call.record);
    return state === callState.recorded ? 'recorded' : 'pending';
  };

  /** `elements`: what was made of `body`; `now`: when it is committed. */
  return (
    body: Buffer,
    elements: Iterable<AdmittedElement>,
    receivedAt: number,
    now: number,
  ): AppendReceipt => {
    const receipt: AppendReceipt = { received: 0, accepted: 0, duplicates: 0, rejected: [] };
    const waiting = { chunk: 0, trace: 0 };
    let recorded = 0;
    let index = 0;
    for (const element of elements) {
      receipt.received += 1;
      if (element.kind === 'call') {
        const became = insert(element.call, receivedAt, waiting);
        if (became === 'duplicate') receipt.duplicates += 1;
        else receipt.accepted += 1;
        if (became === 'recorded') recorded += 1;
      } else {
        const { reason, slice } = element;
        receipt.rejected.push({ index, reason });
        const bytes = body.subarray(slice.start, slice.end);
        deadLetters.unusable({ reason, position: slice.start, bytes }, receivedAt);
      }
      index += 1;
    }
    if (receipt.rejected.length > 0) deadLetters.forgetOldest();
    usage?.write(now);
    ledger.add('chunk_waiting', waiting.chunk);
    ledger.add('traces_waiting', waiting.trace);
    ledger.add('received', receipt.received);
    ledger.add('accepted', receipt.accepted);
    ledger.add('pending', receipt.accepted - recorded);
    ledger.add('recorded', recorded);
    ledger.add('duplicate', receipt.duplicates);
    ledger.add('dead', receipt.rejected.length);
    return receipt;
  };
}

function stateOf(hasRun: boolean, wants: number): number {
  if (hasRun) return callState.pending;
  return wants === 0 ? callState.recorded : callState.waiting;
}
