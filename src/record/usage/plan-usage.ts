import type { UsageDay, UsageInterval, UsageSums, UsageTotals } from '../../call/usage-report.ts';
import { recordIdTag } from '../run-plan.ts';
import { siblingExperiment } from '../sibling-experiment.ts';
import { hashOf, metricPrefix, partsOf } from './series-name.ts';
import { dayMetrics, type UsageMetric, usageMetrics } from './usage-metrics.ts';

/** A metric's value at a time in Unix milliseconds. */
export interface MetricPoint {
  name: string;
  value: number;
  timestamp: number;
  step: number;
}

/** A run that holds usage, as it is made. */
export interface UsageRunPlan {
  recordId: string;
  name: string;
  startTime: number;
  tags: Map<string, string>;
}

/** The run of a day. */
export function planDayRun({ day, startsAt }: UsageDay, journalId: string): UsageRunPlan {
  const recordId = `usage-${day}-${journalId}`;
  return {
    recordId,
    name: `usage ${day}`,
    startTime: startsAt,
    tags: new Map([
      ...tagsOf(day, journalId),
      [recordIdTag, recordId],
      ['mlflow.note.content', dayNote],
    ]),
  };
}

/** The run of a series on a day, a child of the day's. */
export function planSeriesRun(
  { day, startsAt, series, parentRunId }: Omit<UsageTotals, 'sums'>,
  journalId: string,
): UsageRunPlan {
  const { kind, name } = partsOf(series);
  const recordId = `usage-${day}-${journalId}-${hashOf(series)}`;
  return {
    recordId,
    name: `${kind} ${name}`,
    startTime: startsAt,
    tags: new Map([
      ...tagsOf(day, journalId),
      [recordIdTag, recordId],
      [`usage.${kind}`, name],
      ['mlflow.note.content', seriesNote],
      ['mlflow.parentRunId', parentRunId],
    ]),
  };
}

function tagsOf(day: string, journalId: string): [string, string][] {
  return [
    ['sidecar.record', 'usage'],
    ['sidecar.journal_id', journalId],
    ['usage.day', day],
    ['mlflow.source.name', 'litellm-mlflow-sidecar'],
    ['mlflow.source.type', 'LOCAL'],
  ];
}

/**
 * The points of an interval: all calls, the day so far, then each model, team, key and error type.
 */
export function pointsOf({ step, endsAt, sums, dayTotals }: UsageInterval): MetricPoint[] {
  const points = (metrics: readonly UsageMetric[], of: UsageSums, prefix: string) =>
    pointsAt(metrics, of, { prefix, timestamp: endsAt, step });
  return [...sums].flatMap(([series, sum]) => {
    if (series === '') {
      return [...points(usageMetrics, sum, ''), ...points(dayMetrics, dayTotals, 'day/')];
    }
    return series.startsWith('errors/')
      ? [{ name: series, value: sum.failures, timestamp: endsAt, step }]
      : points(usageMetrics, sum, `${metricPrefix(series)}/`);
  });
}

/**
 * What a series has added up to on a day, as the numbers of its own run.
 *
 * @param at Until when, in Unix milliseconds.
 */
export function totalsPoints({ sums, startsAt }: UsageTotals, at: number): MetricPoint[] {
  const step = Math.max(0, Math.floor((at - startsAt) / 60_000));
  return pointsAt(usageMetrics, sums, { prefix: '', timestamp: at, step });
}

function pointsAt(
  metrics: readonly UsageMetric[],
  sums: UsageSums,
  { prefix, timestamp, step }: { prefix: string; timestamp: number; step: number },
): MetricPoint[] {
  return metrics.flatMap(({ name, of }) => {
    const value = of(sums);
    return value === undefined ? [] : [{ name: prefix + name, value, timestamp, step }];
  });
}

/** The experiment of usage: beside that of the calls. */
export function usageExperiment(template: string): string {
  return siblingExperiment(template, 'usage');
}

const dayNote = [
  "What all calls of this day add up to; costs are LiteLLM's estimates. Each point stands for an interval, at its end; its step is the number of the interval in the day, so that days lie over each other.",
  '',
  '- Names without a prefix: all calls. `model/`, `team/`, `key/`: the same by model, team and key; `_other_` are the rest of them.',
  '- `day/`: the day so far. `errors/`: failures by their type.',
  '- The runs below this one hold the totals of the day, by model, team and key.',
  '',
  ...explanations(),
].join('\n');

const seriesNote = [
  "What the calls of this day add up to, so far; costs are LiteLLM's estimates.",
  '',
  ...explanations(),
].join('\n');

function explanations(): string[] {
  return usageMetrics.map(({ name, explained }) => `- \`${name}\`: ${explained}`);
}
