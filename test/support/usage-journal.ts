import assert from 'node:assert/strict';
import type { UsageCounts, UsageReport, UsageTotals } from '../../src/call/usage-report.ts';
import { openSqliteJournal, type SqliteJournal } from '../../src/journal/sqlite-journal.ts';
import type { Usage, UsageOptions } from '../../src/journal/usage/usage.ts';
import { journalDefaults } from './journal-defaults.ts';
import { bodyOf, litellmEvent } from './litellm-event.ts';
import { tempFolder } from './temp-folder.ts';

export const minute = 60_000;
export const hour = 60 * minute;
/** 2026-11-24T00:00:00Z */
export const day0 = 1_795_478_400_000;
export const destination = 'http://mlflow.test';

/** A journal with usage, without its thread. */
export interface UsageJournal {
  readonly journal: SqliteJournal;
  append(now: number, ...events: unknown[]): void;
  /** What `act` answers, within a transaction. */
  usage<T>(act: (usage: Usage) => T): T;
  /** Takes what is to be sent, as a delivery does that never fails. */
  deliver(now: number, to?: string): Delivered;
  /** Closes it and opens it again, with other options where they are given. */
  reopen(changes?: Partial<UsageOptions>): void;
  /** Opens it again after `act` did something to its files. */
  reopenAfter(act: (folder: string) => void): void;
}

export interface Delivered {
  reports: UsageReport[];
  totals: UsageTotals[];
}

export function openUsageJournal(
  t: { after(end: () => void): unknown },
  changes: Partial<UsageOptions> = {},
  maxBytes = 8_000_000,
): UsageJournal {
  const folder = tempFolder(t);
  let options: UsageOptions = {
    ...{ intervalMs: 5 * minute, timeZone: 'UTC', by: ['model', 'team'], maxSeries: 100 },
    ...changes,
  };
  const open = () => openSqliteJournal(journalDefaults(folder, { maxBytes, usage: options }));
  let journal = open();
  t.after(() => journal.close());
  const run = <T>(command: () => T): T => {
    const [result] = journal.run([command]);
    if (result?.status === 'fulfilled') return result.value;
    throw result?.reason;
  };
  const usage = <T>(act: (usage: Usage) => T): T =>
    run(() => {
      if (journal.usage === undefined) throw new Error('usage is off');
      return act(journal.usage);
    });

  return {
    get journal() {
      return journal;
    },
    append: (now, ...events) => {
      run(() => journal.append(bodyOf(...events), now));
    },
    usage,
    deliver: (now, to = destination) => deliverUsage(usage, now, to),
    reopen: (other = {}) => {
      journal.close();
      options = { ...options, ...other };
      journal = open();
    },
    reopenAfter: (act) => {
      journal.close();
      act(folder);
      journal = open();
    },
  };
}

/** Takes what is to be sent, as a delivery does that never fails; `usage` runs each step in a transaction. */
export function deliverUsage(
  usage: <T>(act: (usage: Usage) => T) => T,
  now: number,
  to: string,
): Delivered {
  const delivered: Delivered = { reports: [], totals: [] };
  let sends = 0;
  const send = (
    { day, series = '', run }: Pick<UsageReport, 'day' | 'run'> & { series?: string },
    sent: { until: number; ended: boolean },
  ) => {
    const key = { day, series, destination: to };
    if (run.runId === undefined) usage((own) => own.keepRun(key, { runId: 'run' }));
    usage((own) => own.sent(key, sent));
    sends += 1;
    assert.ok(sends < 1_000, 'what is to be sent comes to an end');
  };
  for (;;) {
    const report = usage((own) => own.report(to, now, 0));
    if (report === undefined) break;
    delivered.reports.push(report);
    send(report, {
      until: report.intervals.at(-1)?.endsAt ?? report.endsAt,
      ended: report.isLast,
    });
  }
  for (;;) {
    const totals = usage((own) => own.totals(to, now));
    if (totals === undefined) return delivered;
    delivered.totals.push(totals);
    send(totals, { until: now, ended: totals.isLast });
  }
}

/** A failed call, as LiteLLM posts it. */
export function failedEvent(number: number, changes: Record<string, unknown> = {}) {
  return litellmEvent(number, {
    status: 'failure',
    error_information: { error_code: '429', error_class: 'RateLimitError' },
    error_str: 'too many requests',
    response_cost: 0,
    ...changes,
  });
}

/** What the reports' intervals add up to for a series. */
export function sumOver(reports: readonly UsageReport[], series: string): UsageCounts {
  const sums = reports.flatMap(({ intervals }) =>
    intervals.flatMap((interval) => interval.sums.get(series) ?? []),
  );
  return addedUp(sums);
}

export function addedUp(all: readonly UsageCounts[]): UsageCounts {
  const names = [
    ...(['attempts', 'failures', 'recovered', 'cacheHits', 'promptTokens'] as const),
    ...(['completionTokens', 'totalTokens', 'cacheReadTokens', 'costUsd'] as const),
    ...(['savedUsd', 'unpriced'] as const),
  ];
  const added = names.map((name) => [name, all.reduce((sum, one) => sum + one[name], 0)] as const);
  return Object.fromEntries(added) as Record<keyof UsageCounts, number>;
}
