import type { DatabaseSync } from 'node:sqlite';
import type { Account, DetailCounts } from './account.ts';
import { type Ledger, pendingRows } from './ledger.ts';
import { numberOf } from './open-database.ts';
import type { RunsReport } from './runs.ts';
import type { Space } from './space.ts';
import type { Traces } from './traces.ts';

/** Bytes of a post as LiteLLM makes them; while one fits, the journal counts as open. */
const ordinaryPost = 1_000_000;

export interface AccountParts {
  database: DatabaseSync;
  ledger: Ledger;
  space: Space;
  /** How runs are chosen at present. */
  runs: () => RunsReport;
  traces: Pick<Traces, 'isWaived'>;
}

/** Reads the conservation account, and holds its counts against the rows that are really there. */
export function createAccountant({ database, ledger, space, runs, traces }: AccountParts) {
  const journalId = String(
    database.prepare("SELECT value FROM meta WHERE name = 'journal_id'").get()?.['value'],
  );
  const oldestPending = database.prepare(
    `SELECT received_at FROM calls INDEXED BY calls_pending
     WHERE state IN (0, 3) AND state = 0 ORDER BY received_at LIMIT 1`,
  );

  const oldestChunk = database.prepare('SELECT min(began_at) AS at FROM chunks WHERE ended = 0');

  const detailIn = (counts: ReadonlyMap<string, number>): DetailCounts => {
    const oldestChunkAt = oldestChunk.get()?.['at'];
    const { pending, sampleRate, limitedBy, perSecond, leftOfDay, chosenPerSecond } = runs();
    return {
      runs: counts.get('runs') ?? 0,
      chunks: counts.get('chunks') ?? 0,
      traces: counts.get('traces') ?? 0,
      noRun: byReason(counts, 'no_run:'),
      runsPending: pending,
      chunkPending: counts.get('chunk_waiting') ?? 0,
      ...(typeof oldestChunkAt === 'number' && { oldestChunkAt }),
      notInChunks: numberOf(database, 'SELECT coalesce(sum(calls), 0) FROM chunks WHERE ended = 0'),
      tracesPending: counts.get('traces_waiting') ?? 0,
      tracesWaived: traces.isWaived(),
      chunksGivenUp: counts.get('chunks_given_up') ?? 0,
      tracesGivenUp: counts.get('traces_given_up') ?? 0,
      secondRunsDeleted: counts.get('second_runs_deleted') ?? 0,
      sampleRate,
      ...(perSecond !== undefined && { runsPerSecond: perSecond }),
      runsLeftOfDay: leftOfDay,
      ...(limitedBy !== undefined && { limitedBy }),
      ...(chosenPerSecond !== undefined && { runsChosenPerSecond: chosenPerSecond }),
    };
  };

  return (): Account => {
    const counts = ledger.read();
    const of = (name: string) => counts.get(name) ?? 0;
    const shed = byReason(counts, 'shed:');
    const ended =
      of('recorded') +
      of('dead') +
      of('duplicate') +
      Object.values(shed).reduce((sum, calls) => sum + calls, 0);
    const pending = pendingRows(database);
    const oldest = oldestPending.get()?.['received_at'];
    return {
      journalId,
      received: of('received'),
      accepted: of('accepted'),
      recorded: of('recorded'),
      pending,
      dead: of('dead'),
      everDead: of('dead') + of('requeued'),
      duplicate: of('duplicate'),
      shed,
      bodiesShed: of('bodies_shed'),
      bodiesUnvetted: of('unvetted'),
      addsUp: pending === of('pending') && of('received') === ended + pending,
      ...(oldest !== undefined && { oldestPendingAt: Number(oldest) }),
      bytes: space.used(),
      maxBytes: space.maxBytes,
      accepting: space.couldAdmit(0) && space.admits(ordinaryPost),
      detail: detailIn(counts),
    };
  };
}

/** Counts whose name begins with `prefix`, by what follows it. */
function byReason(counts: ReadonlyMap<string, number>, prefix: string): Record<string, number> {
  return Object.fromEntries(
    [...counts]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, calls]) => [name.slice(prefix.length), calls]),
  );
}
