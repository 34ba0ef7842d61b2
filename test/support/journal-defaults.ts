import type { JournalOptions } from '../../src/journal/sqlite-journal.ts';

/** Options of a journal for tests, with what a test wants otherwise. */
export function journalDefaults(
  folder: string,
  changes: Partial<JournalOptions> = {},
): JournalOptions {
  return {
    folder,
    maxBytes: 100_000_000,
    retainMs: 3_600_000,
    dedupeEntries: 10_000,
    dedupeMs: 86_400_000,
    experiment: '/e',
    ...changes,
  };
}
