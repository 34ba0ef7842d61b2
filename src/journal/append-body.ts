import type { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import type { AdmittedElement } from '../admit/admit-body.ts';
import type { AdmittedCall } from '../admit/admit-call.ts';
import { type ExperimentNaming, maxExperiments } from '../admit/experiment-name.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { AppendReceipt } from './journal.ts';
import type { Ledger } from './ledger.ts';
import type { SeenIds } from './seen-ids.ts';
import type { Usage } from './usage/usage.ts';

export interface AppendParts {
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
  const { database, ledger, deadLetters, seen, naming, usage } = parts;
  const findCall = database.prepare('SELECT 1 FROM calls WHERE record_id = ?');
  const insertCall = database.prepare(
    'INSERT INTO calls (record_id, failed, received_at, due_at, experiment) VALUES (?, ?, ?, ?, ?)',
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

  const insert = (call: AdmittedCall, receivedAt: number): 'accepted' | 'duplicate' => {
    const recordId = Buffer.from(call.record.recordId, 'hex');
    if (findCall.get(recordId) !== undefined || seen.has(recordId)) return 'duplicate';
    const { lastInsertRowid } = insertCall.run(
      recordId,
      call.record.status === 'failure' ? 1 : 0,
      receivedAt,
      receivedAt,
      experimentOf(call),
    );
    const record = JSON.stringify(call.record);
    const body = call.body ?? null;
    insertPayload.run(lastInsertRowid, record, crc32(record), body, body && crc32(body));
    if (call.record.body === 'unvetted') ledger.add('unvetted', 1);
    usage?.add(call.record);
    return 'accepted';
  };

  /** `elements`: what was made of `body`. */
  return (body: Buffer, elements: Iterable<AdmittedElement>, receivedAt: number): AppendReceipt => {
    const receipt: AppendReceipt = { received: 0, accepted: 0, duplicates: 0, rejected: [] };
    let index = 0;
    for (const element of elements) {
      receipt.received += 1;
      if (element.kind === 'call') {
        if (insert(element.call, receivedAt) === 'accepted') receipt.accepted += 1;
        else receipt.duplicates += 1;
      } else {
        const { reason, slice } = element;
        receipt.rejected.push({ index, reason });
        const bytes = body.subarray(slice.start, slice.end);
        deadLetters.unusable({ reason, position: slice.start, bytes }, receivedAt);
      }
      index += 1;
    }
    usage?.write(receivedAt);
    ledger.add('received', receipt.received);
    ledger.add('accepted', receipt.accepted);
    ledger.add('pending', receipt.accepted);
    ledger.add('duplicate', receipt.duplicates);
    ledger.add('dead', receipt.rejected.length);
    return receipt;
  };
}
