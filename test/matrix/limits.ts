import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { createMlflowClient } from '../../src/mlflow/client.ts';
import { createHttpTransport } from '../../src/mlflow/http-transport.ts';
import { litellmEvent } from '../support/litellm-event.ts';
import { mlflowReader } from '../support/mlflow-reader.ts';
import { postEvents } from '../support/post-events.ts';
import { assertAnyCallReadsBack } from '../support/read-back.ts';
import { startSagemakerStack } from '../support/sagemaker-stack.ts';
import { signedWay } from '../support/signed-transport.ts';
import type { Release } from './release.ts';

/** Lengths, counts and characters, at the limits and beyond them. */
export function limits(release: Release): void {
  it('a call that has too much of everything is recorded, cut where MLflow refuses more', async (t) => {
    const { sidecar, runs, metric } = await release.stage(t);
    const wide = 'é'.repeat(9_000);
    const names = Array.from({ length: 150 }, (_, index) => `${index} ${'n'.repeat(300)}/${index}`);
    await postEvents(sidecar.eventsUrl, [
      litellmEvent(1, {
        model: wide,
        end_user: wide,
        request_tags: names.map((name) => `${name} ${wide}`),
        model_parameters: Object.fromEntries(names.map((name) => [name, wide])),
        error_str: wide,
      }),
    ]);
    await sidecar.drained();
    assert.equal(await metric('calls_recorded_total'), 1);
    const [run] = await runs();
    assert.equal(run?.status, 'FINISHED');
    assert.equal(run.params['model'], 'é'.repeat(6_000));
    const parameters = Object.entries(run.params).filter(([name]) => name.includes('nnn'));
    assert.equal(parameters.length, 80);
    assert.deepEqual([...new Set(parameters.map(([name]) => name.length))], [250]);
    assert.deepEqual([...new Set(parameters.map(([, value]) => value.length))], [6_000]);
    assert.equal(run.tags['end_user'], 'é'.repeat(5_000));
    assert.equal(Object.keys(run.tags).filter((name) => name.startsWith('label.')).length, 50);
  });

  it('the most that fits into one request is taken, and nothing of that is dropped', async (t) => {
    const by = await startSigned(t, release);
    const transport = createHttpTransport({ ...by, timeoutMs: () => 30_000, connections: 1 });
    t.after(transport.close);
    const client = createMlflowClient(transport.send, { now: Date.now, onOutcome: () => {} });
    const name = `/${t.name} `.padEnd(256, 'n');
    const experiment = await client.createExperiment(name);
    assert.ok(experiment.kind === 'done', JSON.stringify(experiment));
    const entries = (count: number, length: number): [string, string][] =>
      Array.from({ length: count }, (_, index) => [
        `${index} `.padEnd(250, 'k'),
        `${index} `.padEnd(length, 'é'),
      ]);
    const start = { name: 'r'.repeat(250), startTime: 1_800_000_000_000 };
    const tags = [...entries(198, 5_000), ['sidecar.record_id', 'an-id'] as const];
    const created = await client.createRun(experiment.value, { ...start, tags });
    assert.ok(created.kind === 'done', JSON.stringify(created));
    const params = entries(100, 6_000);
    const metrics = entries(1_000, 0).map(([metric], index) => ({
      ...{ name: metric, value: index / 3, timestamp: start.startTime, step: 0 },
    }));
    const logged = await client.logBatch(created.value.id, { params, metrics, tags: [] });
    assert.equal(logged.kind, 'done', JSON.stringify(logged));

    const found = await client.findRuns(experiment.value, tags.at(-1) ?? ['', ''], start.startTime);
    assert.deepEqual(found, { kind: 'done', value: [created.value] });
    const [run] = await mlflowReader(release.mlflow.url).runs(name);
    assert.equal(run?.runName, start.name);
    assert.deepEqual(run.params, Object.fromEntries(params));
    // A batch holds a thousand things in all, of which the params come first.
    const kept = metrics.slice(0, 900).map(({ name: metric, value }) => [metric, value]);
    assert.deepEqual(run.metrics, Object.fromEntries(kept));
    for (const [tag, value] of tags) assert.equal(run.tags[tag], value);
  });

  it('any call that can be made reads back as it was', async (t) => {
    await assertAnyCallReadsBack(release.mlflow.url, 60, await startSigned(t, release));
  });
}

/** How the sidecar's own transport gets through an edge. */
async function startSigned(t: TestContext, { mlflow }: Release) {
  const stack = await startSagemakerStack(mlflow);
  t.after(stack.close);
  return signedWay(stack);
}
