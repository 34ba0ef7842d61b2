import type { DatabaseSync } from 'node:sqlite';
import { lanes } from '../../admit/run-choice.ts';
import { want } from '../call-state.ts';
import { pendingRows } from '../ledger.ts';
import { numberOf } from '../open-database.ts';

/** Whether the account adds up, and what is pending or wanted is what is really there. */
export function isBalanced(database: DatabaseSync): boolean {
  const { received, pending, ended, chunkWaiting, tracesWaiting } = read(database);
  const waiting = countWaiting(database);
  const due = [countDue(database), countFound(database)];
  return (
    due.every((isThere) => isThere + waiting === pending) &&
    pendingRows(database) === pending &&
    received === ended + pending &&
    chunkWaiting === countWanting(database, want.chunk) &&
    tracesWaiting === countWanting(database, want.trace)
  );
}

/**
 * Whether a search finds every call that wants a place in a chunk: one of which no chunk is known, or that
 * lies behind an entry of the index out of its order, would wait for ever.
 */
export function isInReach(database: DatabaseSync): boolean {
  const found = numberOf(
    database,
    `SELECT count(*) FROM calls INDEXED BY calls_chunk
     WHERE wants & ${want.chunk} AND chunk IN (SELECT id FROM chunks)`,
  );
  return found === countWanting(database, want.chunk);
}

/**
 * Makes the account of a journal add up that was damaged. Pending calls that the account knows and
 * that are not there are counted as shed, `damaged`; answers how many.
 */
export function balanceLedger(database: DatabaseSync): number {
  const { received, pending, ended } = read(database);
  const isThere = countDue(database) + countWaiting(database);
  const lost = received === ended + pending ? Math.max(0, pending - isThere) : 0;
  const set = database.prepare('INSERT OR REPLACE INTO ledger (name, calls) VALUES (?, ?)');
  const shed = database.prepare("SELECT calls FROM ledger WHERE name = 'shed:damaged'").get();
  if (lost > 0) set.run('shed:damaged', Number(shed?.['calls'] ?? 0) + lost);
  set.run('pending', isThere);
  set.run('chunk_waiting', countWanting(database, want.chunk));
  set.run('traces_waiting', countWanting(database, want.trace));
  set.run('received', ended + isThere + lost);
  return lost;
}

function read(database: DatabaseSync) {
  const sum = (condition: string) =>
    numberOf(database, `SELECT coalesce(sum(calls), 0) FROM ledger WHERE ${condition}`);
  return {
    received: sum("name = 'received'"),
    pending: sum("name = 'pending'"),
    chunkWaiting: sum("name = 'chunk_waiting'"),
    tracesWaiting: sum("name = 'traces_waiting'"),
    ended: sum("name IN ('recorded', 'dead', 'duplicate') OR name LIKE 'shed:%'"),
  };
}

/** Those that have a run to come, due or not. */
function countDue(database: DatabaseSync): number {
  return numberOf(database, 'SELECT count(*) FROM calls INDEXED BY calls_due WHERE state = 0');
}

function countWanting(database: DatabaseSync, wanted: number): number {
  const index = wanted === want.chunk ? 'calls_chunk' : 'calls_trace';
  const sql = `SELECT count(*) FROM calls INDEXED BY ${index} WHERE wants & ${wanted}`;
  return numberOf(database, sql);
}

/** Those that have or need no run, and wait for something else. */
function countWaiting(database: DatabaseSync): number {
  const sql =
    'SELECT count(*) FROM calls INDEXED BY calls_pending WHERE state IN (0, 3) AND state = 3';
  return numberOf(database, sql);
}

/**
 * How many of these a search by time finds, up to the last that is due. It ends at the first entry of
 * the index that lies beyond: a bit flipped there hides those behind it, which a plain count still sees.
 * The last one, and not the clock, says how far: the clock may have been years ahead.
 */
function countFound(database: DatabaseSync): number {
  const inLanes = Object.values(lanes).map((lane) => {
    const inLane = `FROM calls INDEXED BY calls_due WHERE state = 0 AND lane = ${lane}`;
    return numberOf(
      database,
      `SELECT count(*) ${inLane} AND due_at <= (SELECT max(due_at) ${inLane})`,
    );
  });
  return inLanes.reduce((sum, calls) => sum + calls, 0);
}
