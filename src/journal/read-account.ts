import type { DatabaseSync } from 'node:sqlite';
import type { Account } from './journal.ts';
import type { Ledger } from './ledger.ts';
import { numberOf } from './open-database.ts';
import type { Space } from './space.ts';

/** Bytes of a post as LiteLLM makes them; while one fits, the journal counts as open. */
const ordinaryPost = 1_000_000;

const shedPrefix = 'shed:';

/** Reads the conservation account, and holds its counts against the rows that are really there. */
export function createAccountant(database: DatabaseSync, ledger: Ledger, space: Space) {
  const journalId = String(
    database.prepare("SELECT value FROM meta WHERE name = 'journal_id'").get()?.['value'],
  );
  const oldestPending = database.prepare(
    'SELECT received_at FROM calls WHERE state = 0 ORDER BY received_at LIMIT 1',
  );

  return (): Account => {
    const counts = ledger.read();
    const of = (name: string) => counts.get(name) ?? 0;
    const shed = Object.fromEntries(
      [...counts]
        .filter(([name]) => name.startsWith(shedPrefix))
        .map(([name, calls]) => [name.slice(shedPrefix.length), calls]),
    );
    const ended =
      of('recorded') +
      of('dead') +
      of('duplicate') +
      Object.values(shed).reduce((sum, calls) => sum + calls, 0);
    const pending = numberOf(database, 'SELECT count(*) FROM calls WHERE state = 0');
    const oldest = oldestPending.get()?.['received_at'];
    return {
      journalId,
      received: of('received'),
      accepted: of('accepted'),
      recorded: of('recorded'),
      pending,
      dead: of('dead'),
      duplicate: of('duplicate'),
      shed,
      bodiesShed: of('bodies_shed'),
      bodiesUnvetted: of('unvetted'),
      addsUp: pending === of('pending') && of('received') === ended + pending,
      ...(oldest !== undefined && { oldestPendingAt: Number(oldest) }),
      bytes: space.used(),
      maxBytes: space.maxBytes,
      accepting: space.couldAdmit(0) && space.admits(ordinaryPost),
    };
  };
}
