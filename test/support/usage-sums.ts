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
  let sent = 0;
  const look = async () => {
    sent = await sums('requests');
    return sent >= requests ? true : undefined;
  };
  await waitUntil(look, {
    what: () => `the last interval to be sent; ${sent} of ${requests} requests are in MLflow`,
    withinMs: 150_000,
    everyMs: 1_000,
  });
}
