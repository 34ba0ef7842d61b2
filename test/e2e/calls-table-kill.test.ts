import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { isLong } from '../crash/is-long.ts';
import { eventsFrom } from '../support/litellm-event.ts';
import { type MinimalRun, startMinimalMlflow } from '../support/minimal-mlflow.ts';
import { postEvents } from '../support/post-events.ts';
import { startSidecar } from '../support/sidecar.ts';
import { waitUntil } from '../support/wait-until.ts';

/** As many as close a chunk. */
const callsAChunk = 5_000;

/** The requests of a chunk, from its create on. */
const steps = ['runs/create', 'runs/log-batch', 'put', 'put', 'put', 'runs/update'];

/** Those that are tried where time is short. */
const shortSteps = new Set([0, 3, 5]);

interface Line {
  request_id: string;
  record_id: string;
  call: { context: { litellm_call_id: string } };
}

function linesOf(run: MinimalRun): Line[] {
  const bytes = run.artifacts.get('calls.jsonl.gz') ?? Buffer.alloc(0);
  return gunzipSync(bytes)
    .toString()
    .trimEnd()
    .split('\n')
    .map((line): Line => JSON.parse(line));
}

test('killed at each step of a chunk, the sidecar keeps each call once, and makes one run a chunk', {
  timeout: 300_000,
}, async (t) => {
  const mlflow = await startMinimalMlflow(t);
  const sidecar = await startSidecar({
    trackingUri: mlflow.url,
    experiment: '/killed',
    env: { SIDECAR_RECORD_CALLS: 'on', SIDECAR_RECORD_RUNS: 'off' },
  });
  t.after(() => sidecar.close());
  const chunkRuns = () => mlflow.runsOf('sidecar.record', 'chunk');
  const ends = () => mlflow.requests.filter((request) => request === 'runs/update').length;
  let posted = 0;
  let tried = 0;
  const post = async (length: number) => {
    const events = eventsFrom(posted + 1, posted + length);
    posted += length;
    for (let at = 0; at < length; at += 500) {
      await postEvents(sidecar.eventsUrl, events.slice(at, at + 500));
    }
  };

  await post(1);
  for (const [index, step] of steps.entries()) {
    if (!isLong && !shortSteps.has(index)) continue;
    tried += 1;
    let seen = 0;
    const killed = new Promise<void>((resolve) => {
      mlflow.fault = (request) => {
        if (request.startsWith('experiments/')) return undefined;
        if (seen++ !== index) return undefined;
        void sidecar.kill().then(() => resolve());
        return 'drop_after';
      };
    });
    // The call beyond those of a chunk closes it.
    await post(callsAChunk);
    await killed;
    mlflow.fault = () => undefined;
    const before = ends();
    await sidecar.start();
    await waitUntil(() => ends() > before || undefined, {
      what: `the chunk to be finished that was killed at ${step}`,
      withinMs: 60_000,
    });
  }
  await sidecar.stop();

  const runs = chunkRuns();
  assert.equal(runs.length, tried + 1, 'the open chunk is sent by the stop');
  assert.ok(runs.every(({ status, deleted }) => status === 'FINISHED' && !deleted));
  const ids = runs.map(({ tags }) => tags.get('sidecar.chunk_id'));
  assert.equal(new Set(ids).size, runs.length);
  const lines = runs.flatMap(linesOf);
  assert.equal(lines.length, posted);
  assert.equal(new Set(lines.map(({ record_id }) => record_id)).size, posted);
  assert.ok(lines.every((line) => line.call.context.litellm_call_id === line.request_id));
  const rows = runs.flatMap((run): unknown[] => {
    const table = JSON.parse(run.artifacts.get('calls.json')?.toString() ?? '');
    return table.data;
  });
  assert.equal(rows.length, posted);
  for (const run of runs) {
    const bytes = run.artifacts.get('calls.jsonl.gz') ?? Buffer.alloc(0);
    const index: { offset: number; length: number; ids: string[] }[] = JSON.parse(
      run.artifacts.get('calls.index.json')?.toString() ?? '',
    );
    for (const { offset, length, ids: own } of index) {
      const member = gunzipSync(bytes.subarray(offset, offset + length)).toString();
      const found = member.trimEnd().split('\n');
      assert.deepEqual(
        found.map((line): string => JSON.parse(line).record_id),
        own,
      );
    }
  }
  const left = readdirSync(join(sidecar.dir, 'data', 'outgoing'));
  assert.deepEqual(left, [], 'nothing is left on the disk');
});
