import type { UsageInterval, UsageReport, UsageSums } from '../../call/usage-report.ts';
import { recordIdTag } from '../run-plan.ts';
import { dayMetrics, usageMetrics } from './usage-metrics.ts';

export interface UsagePoint {
  name: string;
  value: number;
  /** Unix milliseconds. */
  timestamp: number;
  step: number;
}

/** A run that holds usage: that of a day, or of one series on that day. */
export interface UsageRunPlan {
  recordId: string;
  name: string;
  startTime: number;
  tags: Map<string, string>;
}

/** The run of a series on a day; `''` is that of the day itself, the parent of the others. */
export function planUsageRun(
  report: Pick<UsageReport, 'day' | 'startsAt'>,
  series: string,
  journalId: string,
  parentRunId?: string,
): UsageRunPlan {
  const { day, startsAt } = report;
  const recordId = `usage-${day}-${journalId}${series === '' ? '' : `-${series}`}`;
  const [kind = '', name = ''] = split(series);
  return {
    recordId,
    name: series === '' ? `usage ${day}` : `${kind} ${name}`,
    startTime: startsAt,
    tags: new Map([
      ['sidecar.record', 'usage'],
      ['sidecar.journal_id', journalId],
      [recordIdTag, recordId],
      ['usage.day', day],
      ...(series === '' ? [] : [[`usage.${kind}`, name] as const]),
      ['mlflow.source.name', 'litellm-mlflow-sidecar'],
      ['mlflow.source.type', 'LOCAL'],
      ['mlflow.note.content', noteOf(series)],
      ...(parentRunId === undefined ? [] : [['mlflow.parentRunId', parentRunId] as const]),
    ]),
  };
}

/** The points of an interval: all calls, the day so far, then each model, team, key and error type. */
export function pointsOf({ step, endsAt, sums, dayTotals }: UsageInterval): UsagePoint[] {
  const point = (name: string, value: number | undefined): UsagePoint[] =>
    value === undefined ? [] : [{ name, value, timestamp: endsAt, step }];
  const series = [...sums].flatMap(([name, sum]) =>
    name.startsWith('errors/')
      ? point(name, sum.failures)
      : usageMetrics.flatMap((metric) =>
          point(name === '' ? metric.name : `${name}/${metric.name}`, metric.of(sum)),
        ),
  );
  return [...series, ...dayMetrics.flatMap(({ name, of }) => point(`day/${name}`, of(dayTotals)))];
}

/** The numbers of a series' own run: the day so far. */
export function totalsOf(sums: UsageSums, timestamp: number, step: number): UsagePoint[] {
  return usageMetrics.flatMap(({ name, of }) => {
    const value = of(sums);
    return value === undefined ? [] : [{ name, value, timestamp, step }];
  });
}

/** The experiment of usage: beside that of the calls, by the part of its name that is the same for all. */
export function usageExperiment(template: string): string {
  const literal = template.replace(/\{.*$/s, '').replace(/\/+$/, '');
  return literal === '' ? 'usage' : `${literal}/usage`;
}

function split(series: string): [kind: string, name: string] | [] {
  const at = series.indexOf('/');
  return at === -1 ? [] : [series.slice(0, at), series.slice(at + 1)];
}

function noteOf(series: string): string {
  const what =
    series === ''
      ? 'What all calls of this day add up to. Each point is an interval, at its end; `day/` is the day so far; `model/`, `team/`, `key/` and `errors/` are the same by model, team, key and type of error.'
      : 'What the calls of this day add up to.';
  const lines = usageMetrics.map(({ name, explained }) => `- \`${name}\`: ${explained}`);
  return [what, '', ...lines].join('\n');
}
