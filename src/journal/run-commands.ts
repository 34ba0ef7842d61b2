import { JournalError } from './journal.ts';
import type { Transactions } from './transactions.ts';
import type { Unreadable } from './unreadable.ts';

export interface RunParts {
  findUnreadable: () => Unreadable | undefined;
  /** Writes down that the journal does not read, so that the next opening salvages it. */
  onUnsound: () => void;
}

/**
 * Runs commands in one transaction, and tells a damaged file from a disk that does not read: a
 * command that met damage is tried once more by itself, and where it meets it again, all bytes are
 * asked of the disk. What the disk does not give may be sound: the command is rejected, and may be
 * tried later; only a restart gives it up. Where the disk gives all of them they are damaged, and
 * nothing that is built on such a file can be trusted: the process ends, the restart salvages.
 *
 * @returns A function that throws a `JournalError` `JOURNAL_DAMAGED`, and then for good.
 */
export function createRun(transactions: Transactions, { findUnreadable, onUnsound }: RunParts) {
  const onceMore = <T>(command: () => T): PromiseSettledResult<T> => {
    const [again] = transactions.run([command]);
    if (again === undefined) throw new Error('a command has a result');
    const damage = damageIn(again);
    if (damage === undefined) return again;
    const unreadable = findUnreadable();
    onUnsound();
    if (unreadable === undefined) throw damage;
    const { file, at } = unreadable;
    const reason = new JournalError(
      'JOURNAL_UNAVAILABLE',
      `the disk does not read ${file} at byte ${at} (EIO)`,
    );
    return { status: 'rejected', reason };
  };

  return <T>(commands: (() => T)[]): PromiseSettledResult<T>[] =>
    transactions.run(commands).map((result, index) => {
      const command = commands[index];
      return command !== undefined && damageIn(result) ? onceMore(command) : result;
    });
}

function damageIn(result: PromiseSettledResult<unknown>): JournalError | undefined {
  const reason: unknown = result.status === 'rejected' ? result.reason : undefined;
  return reason instanceof JournalError && reason.code === 'JOURNAL_DAMAGED' ? reason : undefined;
}
