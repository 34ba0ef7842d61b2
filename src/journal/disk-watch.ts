import type { JournalError } from './journal.ts';
import type { Command } from './worker-protocol.ts';

/** The disk fails the journal: since when, in Unix milliseconds, and how. */
export interface DiskTrouble {
  since: number;
  message: string;
}

/**
 * Notes from what becomes of commands whether the disk does its work. An episode of trouble begins
 * with the first command that fails, and is over when none has failed from one tick to the next and
 * a write has succeeded. While there is trouble a tick comes less often than what failed is tried
 * again: every second.
 */
export interface DiskWatch {
  note(op: Command['op'], failure: JournalError | undefined): void;
  /** @param write Writes something, to find whether the disk takes it. */
  tick(write: () => JournalError | undefined): void;
  trouble(): DiskTrouble | undefined;
  /** Whether posts were kept when that was last tried. */
  keepsPosts(): boolean;
}

/**
 * @param onChange Called once an episode when it begins, and once, with nothing, when it ends.
 */
export function createDiskWatch(
  now: () => number,
  onChange: (trouble: DiskTrouble | undefined) => void,
): DiskWatch {
  let trouble: DiskTrouble | undefined;
  let hasFailed = false;
  let keepsPosts = true;

  const fail = ({ message }: JournalError) => {
    hasFailed = true;
    if (trouble !== undefined) return;
    trouble = { since: now(), message };
    onChange(trouble);
  };

  return {
    note: (op, failure) => {
      const isTrouble = failure !== undefined && isOfTheDisk(op, failure);
      if (op === 'append') keepsPosts = !isTrouble;
      if (isTrouble) fail(failure);
    },
    tick: (write) => {
      if (trouble === undefined) return;
      const failure = write();
      keepsPosts = failure === undefined;
      if (failure !== undefined) fail(failure);
      if (!hasFailed) {
        trouble = undefined;
        onChange(undefined);
      }
      hasFailed = false;
    },
    trouble: () => trouble,
    keepsPosts: () => keepsPosts,
  };
}

/** That a post does not fit is no trouble of the disk's; that nothing else can be written is. */
function isOfTheDisk(op: Command['op'], { code }: JournalError): boolean {
  return code === 'JOURNAL_UNAVAILABLE' || (code === 'JOURNAL_FULL' && op !== 'append');
}
