import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeBacklog } from '../support/backlog.ts';
import { startCompiledSidecar } from '../support/compiled-sidecar.ts';
import { startMinimalMlflow } from '../support/minimal-mlflow.ts';
import { waitUntil } from '../support/wait-until.ts';
import { line } from './percentile.ts';

const backlog = { calls: 200_000, large: 200 };

/**
 * How soon a large backlog is open, how fast it is drained into a server that answers at once, and
 * how much memory that takes.
 */
export async function measureBacklog(): Promise<void> {
  const cleanUp: (() => unknown)[] = [];
  const dir = mkdtempSync(join(tmpdir(), 'sidecar-bench-'));
  cleanUp.push(() => rmSync(dir, { recursive: true, force: true }));
  try {
    makeBacklog(join(dir, 'data'), backlog);
    const bytes = statSync(join(dir, 'data', 'journal.db')).size;
    const config = join(dir, 'sidecar.yaml');
    writeFileSync(config, 'journal: { retain: 0s }\n');
    const mlflow = await startMinimalMlflow({ after: (end) => cleanUp.push(end) });
    mlflow.finished = () => true;
    const env = { SIDECAR_CONFIG: config, SIDECAR_LOG_LEVEL: 'warn' };
    const began = performance.now();
    const sidecar = await startCompiledSidecar({ trackingUri: mlflow.url, dir, env });
    cleanUp.push(sidecar.stop);
    const isDrained = async () =>
      (await sidecar.metrics())['litellm_mlflow_calls_pending'] === 0 || undefined;
    await waitUntil(isDrained, { what: 'the backlog', withinMs: 1_200_000, everyMs: 500 });
    const seconds = (performance.now() - began) / 1000;
    const peak = await sidecar.peakMemory();

    const large = `${backlog.large} of them with 1 to 8 MB`;
    process.stdout.write(`A backlog of ${backlog.calls} calls, ${large}, compiled\n`);
    line('on disk', `${(bytes / 1e6).toFixed(0)} MB`);
    line('start to /healthz', `${sidecar.readyAfter.toFixed(0)} ms, give or take 100`);
    line('drained', `${(backlog.calls / seconds).toFixed(0)} calls a second`);
    line('most resident memory', `${peak?.toFixed(0) ?? 'unknown'} MB`);
  } finally {
    for (const end of cleanUp.reverse()) await end();
  }
}
