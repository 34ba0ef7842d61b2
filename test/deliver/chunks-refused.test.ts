import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { StoredObject } from '../../src/aws/s3.ts';
import { admitCall } from '../support/admitted-call.ts';
import { startBodyLimit } from '../support/body-limit.ts';
import { startChunkLine } from '../support/chunk-line.ts';
import { litellmEvent } from '../support/litellm-event.ts';
import { type MemoryCall, memoryChunks } from '../support/memory-chunks.ts';
import { type MinimalRun, startMinimalMlflow } from '../support/minimal-mlflow.ts';

const minute = 60_000;
const megabyte = 1024 * 1024;
/** 2026-11-24T13:05:10Z */
const received = 1_795_525_510_000;

/** @param large Which of them is of 2 MB that do not compress well. */
function calls(length: number, large?: number): MemoryCall[] {
  return Array.from({ length }, (_, index) => {
    const seq = index + 1;
    const content = `noise ${randomBytes(1.5 * megabyte).toString('base64')}`;
    const changes = seq === large ? { messages: [{ role: 'user', content }] } : {};
    const { record, body } = admitCall(litellmEvent(seq, changes), received);
    return { seq, receivedAt: received + index * 1_000, record, content: body };
  });
}

interface Place {
  file: string;
  offset: number;
  length: number;
  ids: string[];
}

interface Line {
  record_id: string;
  model: string;
  call: unknown;
}

/** The lines that the index of a run leads to, each found as its documentation says. */
function linesOf(run: MinimalRun | undefined, fileOf = (name: string) => run?.artifacts.get(name)) {
  const index: Place[] = JSON.parse(run?.artifacts.get('calls.index.json')?.toString() ?? '[]');
  return index.flatMap(({ file, offset, length, ids }) => {
    const member = fileOf(file)?.subarray(offset, offset + length) ?? Buffer.alloc(0);
    const lines = gunzipSync(member).toString().trimEnd().split('\n');
    const parsed = lines.map((line): Line => JSON.parse(line));
    assert.deepEqual(
      parsed.map((line) => line.record_id),
      ids,
    );
    return parsed;
  });
}

const sortedIds = (all: readonly { record_id: string }[]) =>
  all.map(({ record_id }) => record_id).sort();
const idsIn = (all: readonly MemoryCall[]) => all.map(({ record }) => record.recordId).sort();

async function setUp(t: TestContext, own: readonly MemoryCall[], limit = Number.MAX_SAFE_INTEGER) {
  const mlflow = await startMinimalMlflow(t);
  const chunks = memoryChunks([{ id: 7, calls: own }]);
  const url = await startBodyLimit(t, mlflow.url, limit);
  const line = await startChunkLine(t, url, chunks);
  return { mlflow, chunks, line, run: () => mlflow.runsOf('sidecar.record_id', 'j-7')[0] };
}

test('a call that is too large for the place costs its own call.json alone', async (t) => {
  const own = calls(200, 100);
  const { chunks, line, run } = await setUp(t, own, megabyte);
  await line.pass(0);
  assert.deepEqual([chunks.ended.get(7), line.losses], ['kept', []]);
  assert.equal(run()?.status, 'FINISHED');
  const shed = run()?.tags.get('sidecar.shed') ?? '';
  assert.match(shed, /^calls\.\d+-\d+\.jsonl\.gz$/);
  assert.ok(!run()?.artifacts.has(shed));
  const lines = linesOf(run());
  assert.deepEqual(sortedIds(lines), idsIn(own), 'each call is there once');
  const without = lines.filter(({ call }) => call === null);
  assert.deepEqual(
    without.map(({ record_id, model }) => [record_id, model]),
    [[own[99]?.record.recordId, 'openai/gpt-4o-mini']],
  );
  const table = JSON.parse(run()?.artifacts.get('calls.json')?.toString() ?? '');
  assert.equal(table.data.length, 200);
});

test('a chunk of one call that is too large is kept without its call.json', async (t) => {
  const { chunks, line, run } = await setUp(t, calls(1, 1), megabyte);
  await line.pass(0);
  assert.equal(chunks.ended.get(7), 'kept');
  assert.equal(run()?.tags.get('sidecar.shed'), 'calls.jsonl.gz');
  assert.deepEqual(
    linesOf(run()).map(({ call }) => call),
    [null],
  );
});

test('with an archive, too, the lines of what it does not take are there', async (t) => {
  const mlflow = await startMinimalMlflow(t);
  const own = calls(200, 150);
  const chunks = memoryChunks([{ id: 7, calls: own }]);
  const stored = new Map<string, Buffer>();
  const objects = {
    put: async ({ bucket, key, body }: StoredObject) => {
      const size = body instanceof Uint8Array ? body.length : body.bytes;
      if (size > megabyte) return { kind: 'refused', status: 400, name: 'EntityTooLarge' } as const;
      const parts: Uint8Array[] = [];
      if (body instanceof Uint8Array) parts.push(body);
      else for await (const part of body.open()) parts.push(part);
      stored.set(`s3://${bucket}/${key}`, Buffer.concat(parts));
      return { kind: 'stored' } as const;
    },
    close: () => undefined,
  };
  const line = await startChunkLine(t, mlflow.url, chunks, { archive: 's3://lake', objects });
  await line.pass(0);
  const [run] = mlflow.runsOf('sidecar.record_id', 'j-7');
  const lines = linesOf(run, (name) => stored.get(name));
  assert.deepEqual(sortedIds(lines), idsIn(own));
  const inFiles = [...stored.values()].flatMap((file) =>
    gunzipSync(file).toString().trimEnd().split('\n'),
  );
  assert.equal(inFiles.length, 200, 'who reads all the files meets no call twice');
});

test('what was left out stays out when a later file has to wait, and all else is sent once', async (t) => {
  const own = calls(200, 100);
  const { mlflow, chunks, line, run } = await setUp(t, own, megabyte);
  const isThere = (part: string) => [...(run()?.artifacts.keys() ?? [])].join().includes(part);
  mlflow.fault = (name) =>
    name === 'artifacts/put' && isThere('.rows.') ? { status: 503 } : undefined;
  await line.pass(minute);
  assert.equal(chunks.ended.size, 0);
  const before = run()?.artifacts.size ?? 0;
  let puts = 0;
  mlflow.fault = (name) => {
    puts += name === 'artifacts/put' ? 1 : 0;
    return undefined;
  };
  await line.pass(10 * minute);
  assert.equal(chunks.ended.get(7), 'kept');
  assert.equal(before + puts, run()?.artifacts.size);
  assert.deepEqual(sortedIds(linesOf(run())), idsIn(own));
});

test('what went in parts goes on in parts, though the place would take it whole by now', async (t) => {
  const own = calls(200);
  const { mlflow, chunks, line, run } = await setUp(t, own);
  let puts = 0;
  mlflow.fault = (name) => {
    if (name !== 'artifacts/put') return undefined;
    puts += 1;
    if (puts <= 2) return { status: 413 };
    return puts === 4 ? { status: 503 } : undefined;
  };
  await line.pass(10 * minute);
  assert.equal(chunks.ended.get(7), 'kept');
  assert.ok(!run()?.artifacts.has('calls.jsonl.gz'));
  assert.deepEqual(sortedIds(linesOf(run())), idsIn(own));
});

test('after a restart what was left out is tried again, and the run says what it goes without', async (t) => {
  const own = calls(200);
  const { mlflow, chunks, line, run } = await setUp(t, own);
  let puts = 0;
  mlflow.fault = (name) => {
    if (name !== 'artifacts/put') return undefined;
    puts += 1;
    // The whole, its first half and the first member, with its lines; then nothing for a while.
    return { status: puts <= 4 ? 413 : 503 };
  };
  await line.pass(0);
  assert.deepEqual(chunks.progressOf(7)?.shed, ['calls.0-0.jsonl.gz', 'calls.0-0.rows.jsonl.gz']);
  await line.kill();
  mlflow.fault = () => undefined;
  await line.start();
  await line.pass(3 * minute);
  assert.equal(chunks.ended.get(7), 'kept');
  assert.equal(run()?.tags.get('sidecar.shed'), undefined);
  const lines = linesOf(run());
  assert.ok(lines.every(({ call }) => call !== null));
  assert.deepEqual(sortedIds(lines), idsIn(own));
});

test('a kill after the run has said what it goes without changes nothing of it', async (t) => {
  const own = calls(200, 100);
  const { mlflow, chunks, line, run } = await setUp(t, own, megabyte);
  mlflow.fault = (name) => (name === 'runs/update' ? { status: 503 } : undefined);
  await line.pass(0);
  const shed = run()?.tags.get('sidecar.shed');
  assert.ok(shed);
  await line.kill();
  mlflow.fault = () => undefined;
  const puts = mlflow.requests.filter((name) => name === 'artifacts/put').length;
  await line.start();
  await line.pass(3 * minute);
  assert.equal(chunks.ended.get(7), 'kept');
  assert.equal(mlflow.requests.filter((name) => name === 'artifacts/put').length, puts);
  assert.equal(linesOf(run()).filter(({ call }) => call === null).length, 1);
});

test('a place that fails over a chunk alone, and then is away, costs nothing', async (t) => {
  const own = calls(200);
  const { mlflow, chunks, line, run } = await setUp(t, own);
  mlflow.fault = (name) => (name === 'artifacts/put' ? { status: 500 } : undefined);
  const puts = () => mlflow.requests.filter((name) => name === 'artifacts/put').length;
  // Until the chunk is found at fault, and its first half is tried at once.
  for (let before = -1; puts() - before < 2; ) {
    before = puts();
    line.anotherStored();
    await line.pass(0);
  }
  assert.deepEqual(chunks.progressOf(7)?.shed ?? [], []);
  await line.pass(60 * minute);
  assert.equal(chunks.ended.size, 0);
  mlflow.fault = () => undefined;
  await line.pass(10 * minute);
  assert.equal(chunks.ended.get(7), 'kept');
  const lines = linesOf(run());
  assert.ok(lines.every(({ call }) => call !== null));
  assert.deepEqual(sortedIds(lines), idsIn(own));
});

test('a member that a place fails over again and again while it takes others is left out', async (t) => {
  const own = calls(200);
  const { mlflow, chunks, line, run } = await setUp(t, own);
  mlflow.fault = (name) => (name === 'artifacts/put' ? { status: 500 } : undefined);
  for (let looks = 0; looks < 5_000 && chunks.progressOf(7)?.shed === undefined; looks += 1) {
    line.anotherStored();
    await line.pass(0);
  }
  mlflow.fault = () => undefined;
  assert.deepEqual(chunks.progressOf(7)?.shed, ['calls.0-0.jsonl.gz']);
  await line.pass(10 * minute);
  assert.equal(chunks.ended.get(7), 'kept');
  assert.equal(run()?.tags.get('sidecar.shed'), 'calls.0-0.jsonl.gz');
  const lines = linesOf(run());
  assert.deepEqual(sortedIds(lines), idsIn(own));
  assert.equal(lines.filter(({ call }) => call === null).length, 64);
});
