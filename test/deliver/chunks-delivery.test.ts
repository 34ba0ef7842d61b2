import assert from 'node:assert/strict';
import { mkdirSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { StoredObject } from '../../src/aws/s3.ts';
import { admitCall } from '../support/admitted-call.ts';
import { type ChunkLineOptions, startChunkLine } from '../support/chunk-line.ts';
import { litellmEvent } from '../support/litellm-event.ts';
import { type MemoryCall, memoryChunks } from '../support/memory-chunks.ts';
import { type Fault, type MinimalRun, startMinimalMlflow } from '../support/minimal-mlflow.ts';
import { failedEvent } from '../support/usage-journal.ts';

const minute = 60_000;
/** 2026-11-24T13:05:10Z */
const received = 1_795_525_510_000;

function calls(first: number, length: number): MemoryCall[] {
  return Array.from({ length }, (_, index) => {
    const seq = first + index;
    const event = seq % 4 === 0 ? failedEvent(seq) : litellmEvent(seq);
    const { record, body } = admitCall(event, received);
    return { seq, receivedAt: received + index * 1_000, record, content: body };
  });
}

async function setUp(t: TestContext, options: ChunkLineOptions = {}, length = 200) {
  const mlflow = await startMinimalMlflow(t);
  const chunks = memoryChunks([{ id: 7, calls: calls(1, length) }]);
  const line = await startChunkLine(t, mlflow.url, chunks, options);
  const runs = () => mlflow.runsOf('sidecar.record_id', 'j-7');
  return { mlflow, chunks, line, runs };
}

interface IndexEntry {
  file: string;
  offset: number;
  length: number;
  ids: string[];
}

function indexOf(run: MinimalRun | undefined): IndexEntry[] {
  return JSON.parse(run?.artifacts.get('calls.index.json')?.toString() ?? '[]');
}

const idsIn = (lines: Buffer) =>
  gunzipSync(lines)
    .toString()
    .trimEnd()
    .split('\n')
    .map((line): string => JSON.parse(line).record_id);

test('a chunk becomes one run with its table, its whole calls and their index', async (t) => {
  const { mlflow, chunks, line, runs } = await setUp(t);
  await line.pass(0);
  assert.deepEqual(mlflow.requests, [
    ...['experiments/get-by-name', 'experiments/create', 'runs/create', 'runs/log-batch'],
    ...['artifacts/put', 'artifacts/put', 'artifacts/put', 'runs/update'],
  ]);
  const [run] = runs();
  assert.deepEqual([run?.status, run?.startTime], ['FINISHED', received]);
  assert.equal(run?.endTime, received + 199_000);
  assert.equal(run?.tags.get('mlflow.runName'), 'calls 2026-11-24 13:05 – 13:08');
  assert.equal(run?.tags.get('sidecar.record'), 'chunk');
  assert.equal(run?.tags.get('sidecar.chunk_id'), 'j-7');
  assert.deepEqual(JSON.parse(run?.tags.get('mlflow.loggedArtifacts') ?? ''), [
    { path: 'calls.json', type: 'table' },
  ]);
  const lines = run?.artifacts.get('calls.jsonl.gz') ?? Buffer.alloc(0);
  assert.equal(run?.metrics.get('calls'), 200);
  assert.equal(run?.metrics.get('failures'), 50);
  assert.equal(run?.metrics.get('total_tokens'), 200 * 28);
  assert.equal(run?.metrics.get('bytes'), lines.length);
  const table = JSON.parse(run?.artifacts.get('calls.json')?.toString() ?? '');
  assert.equal(table.data.length, 200);
  const index = indexOf(run);
  assert.deepEqual(
    index.map(({ ids }) => ids.length),
    [64, 64, 64, 8],
  );
  for (const { file, offset, length, ids } of index) {
    assert.equal(file, 'calls.jsonl.gz');
    assert.deepEqual(idsIn(lines.subarray(offset, offset + length)), ids);
  }
  assert.equal(chunks.ended.get(7), 'kept');
  assert.deepEqual(line.files(), [], 'nothing is left on the disk');
});

test('with an archive the whole calls lie there by the hour, and the index says so', async (t) => {
  const stored: StoredObject[] = [];
  const objects = {
    put: async (object: StoredObject) => {
      stored.push(object);
      return { kind: 'stored' } as const;
    },
    close: () => undefined,
  };
  const { line, runs } = await setUp(t, { archive: 's3://lake/calls/', objects });
  await line.pass(0);
  const [run] = runs();
  const key = 'calls/dt=2026-11-24/hour=13/j-7.jsonl.gz';
  assert.deepEqual(
    stored.map((object) => [object.bucket, object.key, object.contentType]),
    [['lake', key, 'application/gzip']],
  );
  assert.equal(run?.tags.get('sidecar.archive_uri'), `s3://lake/${key}`);
  assert.deepEqual([...(run?.artifacts.keys() ?? [])], ['calls.index.json', 'calls.json']);
  assert.ok(indexOf(run).every(({ file }) => file === `s3://lake/${key}`));
});

const isWhole = (run: MinimalRun | undefined) =>
  run?.status === 'FINISHED' && run.artifacts.size === 3 && run.metrics.get('calls') === 200;

/** The requests of a chunk, in their order, after those for the experiment. */
const steps = ['create', 'log-batch', 'put 1', 'put 2', 'put 3', 'update'];

for (const [index, step] of steps.entries()) {
  for (const when of ['before', 'after'] as const) {
    test(`a kill ${when} the server acts on ${step} leaves one whole run`, async (t) => {
      const { mlflow, chunks, line, runs } = await setUp(t);
      const killed = new Promise<void>((resolve) => {
        mlflow.fault = () => {
          if (mlflow.requests.length !== index + 3) return undefined;
          void line.kill().then(resolve);
          return `drop_${when}`;
        };
      });
      void line.flush(false).catch(() => undefined);
      await killed;
      mlflow.fault = () => undefined;
      assert.equal(chunks.ended.size, 0);
      await line.start();
      assert.deepEqual(line.files(), [], 'what the kill left on the disk has gone');
      await line.pass(3 * minute);
      assert.equal(chunks.ended.get(7), 'kept');
      assert.equal(runs().filter(({ deleted }) => !deleted).length, 1);
      assert.ok(runs().some(isWhole));
      const run = runs().find(isWhole);
      const lines = run?.artifacts.get('calls.jsonl.gz') ?? Buffer.alloc(0);
      for (const { offset, length, ids } of indexOf(run)) {
        assert.deepEqual(idsIn(lines.subarray(offset, offset + length)), ids);
      }
    });
  }
}

test('what was stored is not sent again when a later file is, and the index knows it all the same', async (t) => {
  const { mlflow, line, runs } = await setUp(t);
  let puts = 0;
  mlflow.fault = (request) => {
    if (request !== 'artifacts/put') return undefined;
    puts += 1;
    return puts === 2 ? { status: 500 } : undefined;
  };
  await line.pass(minute);
  assert.equal(puts, 4);
  assert.equal(indexOf(runs()[0]).length, 4);
});

test('files that were written anew, since calls had got runs meanwhile, are all sent anew', async (t) => {
  const mlflow = await startMinimalMlflow(t);
  const own = calls(1, 200);
  const chunks = memoryChunks([{ id: 7, calls: own }]);
  const line = await startChunkLine(t, mlflow.url, chunks);
  let puts = 0;
  mlflow.fault = (request) => {
    puts += request === 'artifacts/put' ? 1 : 0;
    return puts > 1 ? { status: 503 } : undefined;
  };
  await line.pass(0);
  await line.kill();
  mlflow.fault = () => undefined;
  for (const call of own) call.runId = `run of ${call.seq}`;
  await line.start();
  await line.pass(3 * minute);
  const [run] = mlflow.runsOf('sidecar.record_id', 'j-7');
  const lines = run?.artifacts.get('calls.jsonl.gz') ?? Buffer.alloc(0);
  assert.ok(gunzipSync(lines).includes('"run_id":"run of 1"'));
  for (const { offset, length, ids } of indexOf(run)) {
    assert.deepEqual(idsIn(lines.subarray(offset, offset + length)), ids);
  }
});

test('after an unclear create its run is found, and made once', async (t) => {
  const { mlflow, line, runs } = await setUp(t);
  mlflow.fault = (request) => (request === 'runs/create' ? 'drop_after' : undefined);
  await line.pass(0);
  mlflow.fault = () => undefined;
  await line.pass(minute);
  assert.equal(mlflow.created, 1);
  assert.ok(isWhole(runs()[0]));
});

test('a chunk waits for a server that refuses, however long, and is written once', async (t) => {
  const { mlflow, chunks, line, runs } = await setUp(t);
  mlflow.fault = (request) => (request === 'artifacts/put' ? { status: 403 } : undefined);
  await line.pass(minute);
  const [lines = ''] = line.files().filter((file) => file.endsWith('.gz'));
  const { ino, mode } = statSync(`${line.folder}/${lines}`);
  assert.equal(mode & 0o777, 0o600);
  assert.equal(line.holds().artifacts.state, 'held');
  await line.pass(60 * minute);
  assert.equal(statSync(`${line.folder}/${lines}`).ino, ino);
  assert.equal(chunks.ended.size, 0);
  mlflow.fault = () => undefined;
  await line.pass(2 * minute);
  assert.ok(isWhole(runs()[0]));
});

test('a place that takes no large file gets the whole calls in several, and the index knows them', async (t) => {
  const { mlflow, chunks, line, runs } = await setUp(t);
  let puts = 0;
  mlflow.fault = (request) => {
    if (request !== 'artifacts/put') return undefined;
    puts += 1;
    // The whole and its first half; what is smaller passes.
    return puts <= 2 ? { status: 413, body: 'Request Entity Too Large' } : undefined;
  };
  await line.pass(0);
  const [run] = runs();
  assert.equal(chunks.ended.get(7), 'kept');
  assert.deepEqual([...(run?.artifacts.keys() ?? [])].sort(), [
    'calls.0-0.jsonl.gz',
    'calls.1-1.jsonl.gz',
    'calls.2-3.jsonl.gz',
    'calls.index.json',
    'calls.json',
  ]);
  const found = indexOf(run).flatMap(({ file, offset, length, ids }) => {
    const lines = run?.artifacts.get(file) ?? Buffer.alloc(0);
    assert.deepEqual(idsIn(lines.subarray(offset, offset + length)), ids);
    return ids;
  });
  assert.equal(new Set(found).size, 200);
});

test('a table that is too large is left out and the run says so, since the whole calls have its rows', async (t) => {
  const { mlflow, chunks, line, runs } = await setUp(t);
  let puts = 0;
  mlflow.fault = (request) => {
    if (request !== 'artifacts/put') return undefined;
    puts += 1;
    return puts === 3 ? { status: 413 } : undefined;
  };
  await line.pass(0);
  assert.equal(chunks.ended.get(7), 'kept');
  assert.equal(runs()[0]?.tags.get('sidecar.shed'), 'calls.json');
});

test('whole calls that can be stored nowhere are given up, with a word', async (t) => {
  const { mlflow, chunks, line } = await setUp(t);
  mlflow.fault = (request) => (request === 'artifacts/put' ? { status: 413 } : undefined);
  await line.pass(0);
  assert.equal(chunks.ended.get(7), 'given up');
  assert.deepEqual(line.losses, ['7: rejected']);
  assert.deepEqual(line.files(), []);
});

const unacceptable: Fault = {
  status: 400,
  body: { error_code: 'INVALID_PARAMETER_VALUE', message: 'no such thing' },
};

test('a server that takes no chunk at all loses none: it is asked again', async (t) => {
  const { mlflow, chunks, line, runs } = await setUp(t);
  mlflow.fault = (request) => (request === 'runs/create' ? unacceptable : undefined);
  await line.pass(120 * minute);
  assert.equal(chunks.ended.size, 0);
  const asked = mlflow.requests.filter((request) => request === 'runs/create').length;
  assert.ok(asked > 10 && asked < 100, `${asked} times in two hours`);
  mlflow.fault = () => undefined;
  await line.pass(10 * minute);
  assert.ok(isWhole(runs()[0]));
});

test('a chunk that is refused again and again while other runs are made is given up', async (t) => {
  const { mlflow, chunks, line } = await setUp(t);
  mlflow.fault = (request) => {
    if (request !== 'runs/create') return undefined;
    return unacceptable;
  };
  for (let passed = 0; passed < 90 && chunks.ended.size === 0; passed += 1) {
    await line.pass(minute);
    line.successes.note('runs/create', line.clock.now());
  }
  assert.equal(chunks.ended.get(7), 'given up');
  const asked = mlflow.requests.filter((request) => request === 'runs/create').length;
  assert.ok(asked >= 8, `${asked} times`);
});

test('a server that was replaced by an empty one gets the chunk anew', async (t) => {
  const { mlflow, line, runs } = await setUp(t);
  mlflow.fault = (request) => (request === 'artifacts/put' ? { status: 503 } : undefined);
  await line.pass(minute);
  mlflow.runs.clear();
  mlflow.experiments.clear();
  mlflow.fault = () => undefined;
  await line.pass(10 * minute);
  assert.ok(isWhole(runs()[0]));
  assert.ok(mlflow.experiments.has('/e/calls'));
});

test('a chunk whose run a person deleted is not made again', async (t) => {
  const { mlflow, chunks, line, runs } = await setUp(t);
  mlflow.fault = (request) => {
    if (request === 'runs/log-batch') for (const run of runs()) run.deleted = true;
    return undefined;
  };
  await line.pass(minute);
  assert.equal(chunks.ended.get(7), 'given up');
  assert.deepEqual(line.losses, ['7: deleted']);
  assert.equal(mlflow.created, 1);
});

test('an experiment that is deleted under way is restored for the chunk', async (t) => {
  const { mlflow, chunks, line, runs } = await setUp(t);
  let deletes = true;
  mlflow.fault = (request) => {
    const experiment = mlflow.experiments.get('/e/calls');
    if (request === 'runs/create' && deletes && experiment !== undefined) {
      experiment.deleted = true;
      deletes = false;
    }
    return undefined;
  };
  await line.pass(minute);
  assert.equal(chunks.ended.get(7), 'kept');
  assert.ok(isWhole(runs()[0]));
});

test('a disk that takes no more is told of, and the chunk tried again', async (t) => {
  const mlflow = await startMinimalMlflow(t);
  const chunks = memoryChunks([{ id: 7, calls: calls(1, 10), isOpen: true }]);
  const line = await startChunkLine(t, mlflow.url, chunks);
  rmdirSync(line.folder);
  writeFileSync(line.folder, '');
  await line.flush(true);
  assert.deepEqual(line.troubles, ['7: ENOTDIR']);
  rmSync(line.folder);
  mkdirSync(line.folder);
  await line.pass(minute);
  assert.equal(chunks.ended.get(7), 'kept');
});

test('the open chunk is sent when the delivery is told to, behind those that are closed', async (t) => {
  const mlflow = await startMinimalMlflow(t);
  const chunks = memoryChunks([
    { id: 1, calls: calls(1, 3) },
    { id: 2, calls: calls(4, 3), isOpen: true },
  ]);
  const line = await startChunkLine(t, mlflow.url, chunks);
  await line.flush(false);
  assert.deepEqual([...chunks.ended], [[1, 'kept']]);
  await line.flush(true);
  assert.deepEqual(
    [...chunks.ended],
    [
      [1, 'kept'],
      [2, 'kept'],
    ],
  );
});

test('a chunk of which damage left no call is at an end', async (t) => {
  const mlflow = await startMinimalMlflow(t);
  const chunks = memoryChunks([{ id: 1, calls: [] }]);
  const line = await startChunkLine(t, mlflow.url, chunks);
  await line.pass(0);
  assert.equal(chunks.ended.get(1), 'kept');
  assert.deepEqual(mlflow.requests, []);
});
