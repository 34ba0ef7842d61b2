import { defaultMaxBytes } from './journal/default-max-bytes.ts';
import type { JournalOptions } from './journal/sqlite-journal.ts';
import type { Settings } from './settings/schema.ts';

const day = 86_400_000;

/** How the settings open a journal, for the daemon and the command line alike. */
export function journalOptions({ journal, record, redact }: Settings): JournalOptions {
  return {
    folder: journal.dir,
    maxBytes: journal.maxBytes ?? defaultMaxBytes(journal.dir),
    retainMs: journal.retain,
    dedupeEntries: journal.dedupeEntries,
    dedupeMs: day,
    experiment: record.experiment,
    redact,
  };
}
