import type { DatabaseSync } from 'node:sqlite';
import type { JournalError } from './journal.ts';
import { asJournalError } from './open-database.ts';

/** Runs commands that share a commit. */
export interface Transactions {
  /**
   * Runs `commands` in one transaction. A command that throws is undone alone; when the commit
   * fails, all of them are, and each is rejected. Reasons are `JournalError`s.
   */
  run<T>(commands: (() => T)[]): PromiseSettledResult<T>[];
  /** What to put right beside the tables when the command that now runs is undone. */
  onUndo(step: () => void): void;
}

export interface TransactionEvents {
  /** Called before each transaction. */
  onBegin: () => void;
  /** Called with the reason when a whole transaction has failed. */
  onFailure: (reason: JournalError) => void;
}

export function createTransactions(
  database: DatabaseSync,
  folder: string,
  { onBegin, onFailure }: TransactionEvents,
): Transactions {
  let steps: (() => void)[] = [];

  const undoFrom = (first: number) => {
    for (const step of steps.splice(first).reverse()) step();
  };

  const runOne = <T>(command: () => T): PromiseSettledResult<T> => {
    const first = steps.length;
    database.exec('SAVEPOINT command');
    try {
      const value = command();
      database.exec('RELEASE command');
      return { status: 'fulfilled', value };
    } catch (error) {
      // A full disk ends the whole transaction by itself; then nothing is left to undo singly.
      if (!database.isTransaction) throw error;
      database.exec('ROLLBACK TO command; RELEASE command');
      undoFrom(first);
      return { status: 'rejected', reason: asJournalError(error, folder) };
    }
  };

  return {
    run: (commands) => {
      onBegin();
      try {
        database.exec('BEGIN IMMEDIATE');
        const results = commands.map(runOne);
        database.exec('COMMIT');
        steps = [];
        return results;
      } catch (error) {
        if (database.isOpen && database.isTransaction) database.exec('ROLLBACK');
        undoFrom(0);
        const reason = asJournalError(error, folder);
        onFailure(reason);
        return commands.map(() => ({ status: 'rejected', reason }));
      }
    },
    onUndo: (step) => {
      steps.push(step);
    },
  };
}
