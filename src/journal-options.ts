import { defaultMaxBytes } from './journal/default-max-bytes.ts';
import type { JournalPolicy } from './journal/journal.ts';
import type { JournalOptions } from './journal/sqlite-journal.ts';
import type { UsageOptions } from './journal/usage/usage.ts';
import type { Settings } from './settings/schema.ts';

const day = 86_400_000;

/** How the settings open a journal, for the daemon and the command line alike. */
export function journalOptions(settings: Settings): JournalOptions {
  const { journal } = settings;
  return {
    ...journalPolicy(settings),
    folder: journal.dir,
    maxBytes: journal.maxBytes ?? defaultMaxBytes(journal.dir),
    dedupeEntries: journal.dedupeEntries,
    dedupeMs: day,
    ...(settings.record.usage === 'on' && { usage: usageOptions(settings) }),
  };
}

function usageOptions({ usage }: Settings): UsageOptions {
  const { interval, timeZone, by, maxSeries } = usage;
  return { intervalMs: interval * 60_000, timeZone, by, maxSeries };
}

/** The request tag of the calls that the command `test` makes: they get a run unless none gets one. */
export const testTag = 'sidecar-test';

/** What of it follows the settings while the journal is open. */
export function journalPolicy({ journal, record, redact }: Settings): JournalPolicy {
  const { runs, failuresPerMinute, maxRunsPerDay, maxDrain } = record;
  const mark = { ...record.mark, tags: [...record.mark.tags, testTag] };
  return {
    retainMs: journal.retain,
    experiment: record.experiment,
    redact,
    runs: { runs, mark, failuresPerMinute, maxRunsPerDay, maxDrainMs: maxDrain },
    chunks: record.calls === 'on',
    traces: record.traces !== 'off',
  };
}
