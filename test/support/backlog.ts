import { openSqliteJournal } from '../../src/journal/sqlite-journal.ts';
import { journalDefaults } from './journal-defaults.ts';
import { bodyOf, litellmEvent } from './litellm-event.ts';

export interface Backlog {
  /** Calls in all, `call-1` and so on. */
  calls: number;
  /** How many of them, evenly among the others, have a body of 1 to 8 MB. */
  large: number;
}

const callsACommit = 500;
const megabyte = 1_000_000;
const largest = 8;

/**
 * Fills a journal in `folder` with calls that nothing was done for yet, through its own commands and
 * without a thread or a server: 200,000 take a quarter of a minute.
 */
export function makeBacklog(folder: string, { calls, large }: Backlog): void {
  const journal = openSqliteJournal(
    journalDefaults(folder, { maxBytes: 10e9, experiment: '/litellm-monitoring' }),
  );
  const every = large === 0 ? Number.POSITIVE_INFINITY : Math.floor(calls / large);
  const eventOf = (call: number) =>
    call % every === 0
      ? litellmEvent(call, { messages: 'x'.repeat((((call / every) % largest) + 1) * megabyte) })
      : litellmEvent(call);
  for (let first = 1; first <= calls; first += callsACommit) {
    const length = Math.min(callsACommit, calls - first + 1);
    const bodies = Array.from({ length }, (_, index) => bodyOf(eventOf(first + index)));
    const results = journal.run(bodies.map((body) => () => journal.append(body, Date.now())));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }
  journal.close();
}
