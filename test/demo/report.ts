import type { MlflowRun } from '../support/mlflow-reader.ts';
import { type Column, renderTable } from './table.ts';

/**
 * Who spends what: a row for each value of a tag (of the first of
 * `tags` that a run has), the largest number of calls first, and a total.
 */
export function reportBy(
  title: string,
  tags: readonly string[],
  runs: readonly MlflowRun[],
): string {
  const groups = new Map<string, MlflowRun[]>();
  for (const run of runs) {
    const tag = tags.find((name) => run.tags[name] !== undefined);
    const name = (tag === undefined ? undefined : run.tags[tag]) ?? '(none)';
    groups.set(name, [...(groups.get(name) ?? []), run]);
  }
  const rows = [...groups]
    .sort(([a, ofA], [b, ofB]) => ofB.length - ofA.length || a.localeCompare(b))
    .map(([name, members]) => row(name, members));
  return renderTable(columns(title), [...rows, row('total', runs)]);
}

function columns(title: string): Column[] {
  const numbers = ['calls', 'errors', 'cache hits', 'tokens', 'cost USD', 'mean ms'];
  return [
    { title, align: 'left' },
    ...numbers.map((name): Column => ({ title: name, align: 'right' })),
  ];
}

function row(name: string, runs: readonly MlflowRun[]): string[] {
  const sum = (metric: string) =>
    runs.reduce((total, { metrics }) => total + (metrics[metric] ?? 0), 0);
  const isPriced = runs.some(({ metrics }) => metrics['cost_usd'] !== undefined);
  return [
    name,
    String(runs.length),
    String(sum('error')),
    String(sum('cache_hit')),
    sum('total_tokens').toLocaleString('en'),
    // A model without a price has no cost, which is not a cost of nothing.
    isPriced ? sum('cost_usd').toFixed(6) : '-',
    (sum('latency_ms') / runs.length).toFixed(0),
  ];
}
