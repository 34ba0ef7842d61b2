import type { DatabaseSync } from 'node:sqlite';
import { type Row, readableRows, rowBy } from './readable-rows.ts';

/**
 * Finds a call's own row by what its payload tells: its number, and the id in its record. A row is a
 * call's own only where it has that id, since one with its number may be another's: of two calls that
 * took each other's run, one would be recorded in the other's. Without such a row the answer is empty.
 *
 * Both tables are read in the order of the numbers; what is not met so is looked up by its id.
 *
 * @param last The largest number that is looked for.
 */
export function findOwnRow(from: DatabaseSync, last: number): (seq: number, id: Buffer) => Row {
  const calls = readableRows(from, 'SELECT * FROM calls', 'seq', last);
  const byId = rowBy(from, 'SELECT * FROM calls WHERE record_id = ?');
  let call = calls.next();

  const inTurn = (seq: number, id: Buffer): Row | undefined => {
    while (!call.done && Number(call.value['seq']) < seq) call = calls.next();
    while (!call.done && Number(call.value['seq']) === seq) {
      if (isOf(call.value, id)) return call.value;
      call = calls.next();
    }
    return undefined;
  };

  return (seq, id) => {
    const row = inTurn(seq, id) ?? byId(id);
    return row !== undefined && isOf(row, id) ? row : {};
  };
}

function isOf(row: Row, id: Buffer): boolean {
  const own = row['record_id'];
  return own instanceof Uint8Array && id.equals(own);
}
