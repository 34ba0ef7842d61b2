import type { MlflowReader } from './mlflow-reader.ts';
import { waitUntil } from './wait-until.ts';

/** What the points of the days in an experiment of usage add up to, by metric. */
export type UsageSums = (...metrics: string[]) => Promise<number>;

export function usageSums(reader: MlflowReader, experiment: string): UsageSums {
  return async (...metrics) => {
    let sum = 0;
    for (const { runId, runName } of await reader.runs(experiment)) {
      if (!/^usage \d{4}-\d\d-\d\d$/.test(runName)) continue;
      for (const metric of metrics) {
        for (const { value } of await reader.metricHistory(runId, metric)) sum += value;
      }
    }
    return sum;
  };
}

/** Waits until the interval of the last call has closed, a minute long, and has been sent. */
export async function untilUsageHas(sums: UsageSums, requests: number): Promise<void> {
  await waitUntil(async () => ((await sums('requests')) >= requests ? true : undefined), {
    what: 'the last interval to close and to be sent',
    withinMs: 150_000,
    everyMs: 1_000,
  });
}
