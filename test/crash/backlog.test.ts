import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeBacklog } from '../support/backlog.ts';
import { startCompiledSidecar } from '../support/compiled-sidecar.ts';
import { startMinimalMlflow } from '../support/minimal-mlflow.ts';
import { mlflowReader } from '../support/mlflow-reader.ts';
import { startMlflow } from '../support/mlflow-server.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';
import { isLong } from './is-long.ts';

const megabyte = 1e6;
/** What is promised, and what of the journal may be left on disk: log, ballast and ids gone by. */
const mostMemory = 180;
const mostLeft = 60 * megabyte;
/** Milliseconds from the start to the first 200 of /healthz. */
const longestOpening = 2_000;

const ids = (calls: number) => Array.from({ length: calls }, (_, index) => `call-${index + 1}`);

test('a backlog is drained in bounded memory, each call once, and gives its space back', {
  timeout: 1_200_000,
}, async (t) => {
  const backlog = isLong ? { calls: 200_000, large: 200 } : { calls: 20_000, large: 48 };
  if (!isLong) t.diagnostic('20,000 calls; 200,000 with `npm run test:crash -- --long`');
  const dir = tempFolder(t);
  const data = join(dir, 'data');
  makeBacklog(data, backlog);
  const before = statSync(join(data, 'journal.db')).size;
  const config = join(dir, 'sidecar.yaml');
  writeFileSync(config, 'journal: { retain: 0s }\n');

  const mlflow = await startMinimalMlflow(t);
  const recorded = new Map<string, number>();
  const recordIds = new Set<string>();
  let largeBytes = 0;
  mlflow.finished = ({ tags, artifacts, metrics }) => {
    const id = tags.get('request_id') ?? '';
    recorded.set(id, (recorded.get(id) ?? 0) + 1);
    recordIds.add(tags.get('sidecar.record_id') ?? '');
    const body = artifacts.get('call.json') ?? Buffer.alloc(0);
    assert.ok(body.includes(`answer ${id.replace('call-', '')} `), `${id} has its own body`);
    assert.equal(metrics.get('total_tokens'), 28);
    if (body.length > megabyte) largeBytes += body.length;
    return true;
  };
  const env = { SIDECAR_CONFIG: config };
  const sidecar = await startCompiledSidecar({ trackingUri: mlflow.url, dir, env });
  t.after(() => sidecar.stop());
  const { readyAfter, workedUntilReady } = sidecar;
  // Where other tests have the processor, only the work tells: it is done by one thread at a time.
  if (isLong) assert.ok(readyAfter < longestOpening, `it took ${readyAfter} ms to open`);
  const worked = workedUntilReady ?? 0;
  assert.ok(worked < longestOpening, `it took ${worked} ms of work to open`);
  const began = performance.now();
  const metric = async (name: string) => (await sidecar.metrics())[`litellm_mlflow_${name}`];
  await waitUntil(async () => (await metric('calls_pending')) === 0 || undefined, {
    what: 'the backlog to be drained',
    withinMs: 1_000_000,
    everyMs: 500,
  });
  const seconds = (performance.now() - began) / 1000;

  assert.equal(mlflow.created, backlog.calls);
  assert.equal(recordIds.size, backlog.calls);
  assert.deepEqual([...recorded.keys()].sort(), ids(backlog.calls).sort());
  assert.ok(
    [...recorded.values()].every((times) => times === 1),
    'each once',
  );
  assert.ok(largeBytes > 4 * megabyte * backlog.large, 'bodies of up to 8 MB were among them');
  assert.equal(await metric('account_adds_up'), 1);
  const sizes = ['journal.db', 'journal.db-wal', 'ballast'].map((file) => join(data, file));
  const left = () =>
    sizes.reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
  assert.ok(before > 2 * mostLeft);
  await waitUntil(() => left() < mostLeft || undefined, {
    what: 'the files to become small',
    withinMs: 120_000,
  });
  const peak = await sidecar.peakMemory();
  t.diagnostic(
    `open after ${readyAfter.toFixed(0)} ms and ${worked} ms of work, ${(backlog.calls / seconds).toFixed(0)} calls a second, ${peak?.toFixed(0)} MB at the most, ${(before / megabyte).toFixed(0)} MB on disk before and ${(left() / megabyte).toFixed(0)} MB after`,
  );
  if (peak === undefined) t.diagnostic('no /proc here: how much memory it took is not tested');
  else assert.ok(peak < mostMemory, `${peak} MB were resident`);
});

test('a backlog goes into the real MLflow, each call once', { timeout: 900_000 }, async (t) => {
  const calls = isLong ? 3_000 : 400;
  if (!isLong) t.diagnostic('400 calls; 3,000 with `npm run test:crash -- --long`');
  const dir = tempFolder(t);
  makeBacklog(join(dir, 'data'), { calls, large: 8 });
  const mlflow = await startMlflow();
  t.after(() => mlflow.close());
  const sidecar = await startCompiledSidecar({ trackingUri: mlflow.url, dir });
  t.after(() => sidecar.stop());
  const isDrained = async () =>
    (await sidecar.metrics())['litellm_mlflow_calls_pending'] === 0 || undefined;
  await waitUntil(isDrained, { what: 'the backlog', withinMs: 800_000, everyMs: 500 });

  const runs = await mlflowReader(mlflow.url).runs('/litellm-monitoring', 'ALL');
  assert.deepEqual(runs.map(({ tags }) => tags['request_id']).sort(), ids(calls).sort());
  for (const { status, metrics, tags } of runs) {
    assert.deepEqual([status, metrics['total_tokens']], ['FINISHED', 28], tags['request_id']);
  }
});
