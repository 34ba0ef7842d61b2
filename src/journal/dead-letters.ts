import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';

/** Notes of what could not be recorded, and why. */
export interface DeadLetters {
  /** Something that was posted but is no call. `position`: its first byte in the body. */
  unusable(letter: { reason: string; position: number; bytes: Buffer }, now: number): void;
  /** A call in the journal that cannot be recorded; its payload stays. */
  call(letter: { seq: number; reason: string; detail: string }, now: number): void;
  /** Lets the oldest go of those that are no calls, beyond the most that are kept. */
  forgetOldest(): void;
}

/** The most bytes of an unusable element that are kept; size and hash tell of the rest. */
const mostKept = 1024 * 1024;

/** Letters of what is no call; each takes some 120 bytes beside what is kept of it. */
const mostUnusable = 100_000;

/** @param keepBroken What may be kept of bytes that are no call; null: nothing. */
export function createDeadLetters(
  database: DatabaseSync,
  keepBroken: (bytes: Buffer) => Buffer | null,
): DeadLetters {
  const insertUnusable = database.prepare(
    'INSERT INTO dead_letters (died_at, reason, detail, bytes, sha256, kept) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const insertCall = database.prepare(
    'INSERT INTO dead_letters (died_at, reason, detail, seq) VALUES (?, ?, ?, ?)',
  );
  const deleteOldest = database.prepare(
    'DELETE FROM dead_letters WHERE seq IS NULL AND id <= (SELECT max(id) FROM dead_letters) - ?',
  );
  return {
    unusable: ({ reason, position, bytes }, now) => {
      insertUnusable.run(
        now,
        reason,
        `at byte ${position} of the body`,
        bytes.length,
        createHash('sha256').update(bytes).digest('hex'),
        keepBroken(bytes.subarray(0, mostKept)),
      );
    },
    call: ({ seq, reason, detail }, now) => {
      insertCall.run(now, reason, detail, seq);
    },
    forgetOldest: () => {
      deleteOldest.run(mostUnusable);
    },
  };
}
