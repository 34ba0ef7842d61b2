import assert from 'node:assert/strict';
import { it } from 'node:test';
import { readChunks } from '../support/chunk-reader.ts';
import { mlflowReader } from '../support/mlflow-reader.ts';
import { traceReader } from '../support/trace-reader.ts';
import { usageSums } from '../support/usage-sums.ts';
import { waitUntil } from '../support/wait-until.ts';
import type { ManagedStage, Release } from './release.ts';

/** As the program's own defaults are. */
const everything = {
  SIDECAR_RECORD_USAGE: 'on',
  SIDECAR_RECORD_CALLS: 'on',
  SIDECAR_RECORD_TRACES: 'auto',
  SIDECAR_RECORD_RUNS: 'auto',
};

/** What is recorded of calls beside their runs. */
export function detail(release: Release): void {
  for (const kind of ['tracking-server', 'app'] as const) {
    it(`by default calls are in usage, the table and the archive behind the ${kind}, and have runs`, async (t) => {
      const stage = await release.stage(t, { kind, env: everything });
      await stage.post(1, 5);
      await until(stage, 'runs_complete_total', 5);
      await stage.sidecar.stop();
      const reader = mlflowReader(release.mlflow.url);
      const kept = await readChunks(reader, `${stage.experiment}/calls`);
      assert.deepEqual([kept.tables.size, kept.archive.size], [5, 5]);
      assert.equal(await usageSums(reader, `${stage.experiment}/usage`)('requests'), 5);
    });

    if (!release.makesTraces) continue;
    it(`traces that are asked for are made behind the ${kind}`, async (t) => {
      const env = { ...everything, SIDECAR_RECORD_TRACES: 'on' };
      const stage = await release.stage(t, { kind, env, policies: ['traces'] });
      await stage.post(1, 3);
      await until(stage, 'traces_sent_total', 3);
      const traces = await traceReader(release.mlflow.url).traces(stage.experiment);
      assert.equal(traces.length, 3);
    });
  }
}

async function until({ metric }: ManagedStage, name: string, value: number): Promise<void> {
  const look = async () => ((await metric(name)) === value ? true : undefined);
  await waitUntil(look, { what: `${name} to be ${value}`, withinMs: 60_000 });
}
