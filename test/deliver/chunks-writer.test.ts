import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { parseJson } from '../../src/call/parse-json.ts';
import { createBodyRoom } from '../../src/deliver/body-room.ts';
import { openChunkFolder } from '../../src/deliver/chunks/chunk-folder.ts';
import { memberRows } from '../../src/deliver/chunks/member-rows.ts';
import { createMemberWriter } from '../../src/deliver/chunks/member-writer.ts';
import { type ChunkWriterParts, writeChunk } from '../../src/deliver/chunks/write-chunk.ts';
import { columns } from '../../src/record/calls/columns.ts';
import { admitCall } from '../support/admitted-call.ts';
import { anyCall } from '../support/any-call.ts';
import { litellmEvent } from '../support/litellm-event.ts';
import { type MemoryCall, memoryChunks } from '../support/memory-chunks.ts';
import { tempFolder } from '../support/temp-folder.ts';

const receivedAt = 1_795_525_510_000;
const megabyte = 1024 * 1024;

function partsFor(
  folder: string,
  calls: readonly MemoryCall[],
  changes: Partial<ChunkWriterParts> = {},
): ChunkWriterParts {
  const { journal, body } = memoryChunks([{ id: 1, calls }]).open();
  return {
    ...{ journal, folder },
    // As the journal does it: into the place where there is one.
    body: async (seq, place) => {
      const bytes = await body(seq);
      if (bytes === undefined || place === undefined || place.length < bytes.length) return bytes;
      place.set(bytes);
      return place.subarray(0, bytes.length);
    },
    bodyRoom: createBodyRoom(megabyte),
    untilKept: (write) => write(),
    previews: () => false,
    ...changes,
  };
}

interface Line {
  record_id: string;
  call: unknown;
  [name: string]: unknown;
}

async function written(t: TestContext, calls: readonly MemoryCall[], changes = {}) {
  const chunk = await writeChunk(partsFor(tempFolder(t), calls, changes), { id: 1 });
  const bytes = readFileSync(chunk.lines.path);
  const table: { columns: string[]; data: unknown[][] } = JSON.parse(
    readFileSync(chunk.table.path, 'utf8'),
  );
  const linesOf = (part: Buffer): Line[] =>
    gunzipSync(part)
      .toString('utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => parseJson(line) as Line);
  return { chunk, bytes, table, linesOf };
}

/** A `call.json` of about as many bytes as are asked for, on one line as all are. */
const anyBody = fc
  .tuple(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(0, 100, 5_000, 70_000))
  .map(([rest, length]) => Buffer.from(JSON.stringify({ ...rest, filler: 'x'.repeat(length) })));

test('of any calls the table and the lines hold each once, and each member can be read alone', async (t) => {
  const anyChunk = fc.array(fc.tuple(anyCall, fc.option(anyBody, { nil: undefined })), {
    minLength: 1,
    maxLength: 150,
  });
  await fc.assert(
    fc.asyncProperty(anyChunk, async (any) => {
      const calls = any.map(([record, content], index) => ({
        ...{ seq: index * 3, receivedAt, content },
        record: { ...record, recordId: index.toString(16).padStart(64, '0') },
      }));
      const ids = calls.map(({ record }) => record.recordId);
      const { chunk, bytes, table, linesOf } = await written(t, calls);
      assert.deepEqual(table.columns, columns);
      assert.ok(table.data.every((row) => row.length === columns.length));
      const idColumn = columns.indexOf('record_id');
      assert.deepEqual(
        table.data.map((row) => row[idColumn]),
        ids,
      );
      const lines = linesOf(bytes);
      for (const [index, { call, ...fields }] of lines.entries()) {
        assert.deepEqual(Object.keys(fields), [...columns]);
        assert.deepEqual(Object.values(fields), table.data[index]);
        const { content } = calls[index] ?? {};
        assert.deepEqual(call, content === undefined ? null : parseJson(content.toString()));
      }
      assert.equal(lines.length, ids.length);
      assert.deepEqual(
        chunk.members.flatMap((member) => member.ids),
        ids,
      );
      let end = 0;
      for (const { offset, length, ids } of chunk.members) {
        assert.equal(offset, end);
        const alone = linesOf(bytes.subarray(offset, offset + length));
        assert.deepEqual(
          alone.map((line) => line.record_id),
          ids,
        );
        assert.ok(ids.length > 0 && ids.length <= 64);
        end += length;
      }
      assert.equal(end, bytes.length);
      assert.equal(chunk.lines.bytes, bytes.length);
      assert.equal(chunk.sums.calls, ids.length);
    }),
    { numRuns: 60 },
  );
});

test('the bytes of call.json are in its line as they are, numbers beyond those of JavaScript included', async (t) => {
  const { record } = admitCall(litellmEvent(1), receivedAt);
  const content = Buffer.from('{"a":12345678901234567890,"a":1.10,"é":"\\ud83d"}');
  const { bytes } = await written(t, [{ seq: 1, receivedAt, record, content }]);
  assert.ok(gunzipSync(bytes).includes(`,"call":${content.toString()}}\n`));
});

test('large bodies pass through the room, whose place is used again for the next', async (t) => {
  const calls = Array.from({ length: 12 }, (_, seq) => {
    const { record } = admitCall(litellmEvent(seq), receivedAt);
    const filler = randomBytes(300_000).toString('base64');
    return { seq, receivedAt, record, content: Buffer.from(JSON.stringify({ seq, filler })) };
  });
  const { chunk, bytes, linesOf } = await written(t, calls);
  for (const [index, { call }] of linesOf(bytes).entries()) {
    assert.deepEqual(call, parseJson(calls[index]?.content.toString() ?? ''));
  }
  assert.equal(chunk.members.length, 6, 'a member ends at a megabyte, too');
});

test('a call of more than a megabyte is a member by itself', async (t) => {
  const calls = Array.from({ length: 9 }, (_, seq) => {
    const { record } = admitCall(litellmEvent(seq), receivedAt);
    const filler = 'x'.repeat(seq === 4 ? megabyte : 1_000);
    return { seq, receivedAt, record, content: Buffer.from(JSON.stringify({ filler })) };
  });
  const { chunk } = await written(t, calls);
  assert.deepEqual(
    chunk.members.map(({ ids }) => ids.length),
    [4, 1, 4],
  );
});

test('the rows of a member are its lines without the whole calls', async (t) => {
  const anyChunk = fc.array(fc.tuple(anyCall, fc.option(anyBody, { nil: undefined })), {
    minLength: 1,
    maxLength: 20,
  });
  await fc.assert(
    fc.asyncProperty(anyChunk, async (any) => {
      const calls = any.map(([record, content], seq) => ({ seq, receivedAt, content, record }));
      const { chunk, bytes, linesOf } = await written(t, calls);
      for (const { offset, length } of chunk.members) {
        const rows = await memberRows(chunk.lines.path, { offset, length });
        const lines = linesOf(bytes.subarray(offset, offset + length));
        assert.deepEqual(
          linesOf(Buffer.from(rows ?? [])),
          lines.map((line) => ({ ...line, call: null })),
        );
      }
    }),
    { numRuns: 60 },
  );
  assert.equal(await memberRows(join(tempFolder(t), 'gone'), { offset: 0, length: 9 }), undefined);
});

test('where runs, traces and sampling are known of calls, their columns say so', async (t) => {
  const { record } = admitCall(litellmEvent(1), receivedAt);
  const calls = [
    { seq: 1, receivedAt, record, runId: 'run-1', sampleRate: 0.25 },
    {
      seq: 2,
      receivedAt,
      record: { ...record, recordId: 'ab'.repeat(32) },
      isTraced: true as const,
    },
  ];
  const { bytes, linesOf } = await written(t, calls);
  const of = (line: Line) => [line['run_id'], line['sample_rate'], line['trace_id'], line.call];
  assert.deepEqual(linesOf(bytes).map(of), [
    ['run-1', 0.25, null, null],
    [null, null, 'ab'.repeat(16), null],
  ]);
});

test('previews are columns only where the setting wants them', async (t) => {
  const { record, body } = admitCall(litellmEvent(1), receivedAt);
  const calls = [{ seq: 1, receivedAt, record, content: body }];
  const without = await written(t, calls);
  assert.ok(!without.table.columns.includes('prompt_preview'));
  const { table, bytes, linesOf } = await written(t, calls, { previews: () => true });
  assert.deepEqual(table.columns.slice(-2), ['prompt_preview', 'answer_preview']);
  assert.match(String(table.data[0]?.at(-2)), /^question 1 /);
  assert.match(String(table.data[0]?.at(-1)), /^answer 1 /);
  assert.equal(linesOf(bytes)[0]?.['prompt_preview'], table.data[0]?.at(-2));
});

test('the files are for their owner alone, and go when they are done with', async (t) => {
  const { record } = admitCall(litellmEvent(1), receivedAt);
  const folder = tempFolder(t);
  const chunk = await writeChunk(partsFor(folder, [{ seq: 1, receivedAt, record }]), { id: 1 });
  for (const name of readdirSync(folder)) {
    assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600);
  }
  await chunk.remove();
  assert.deepEqual(readdirSync(folder), []);
});

test('what an earlier process left on the disk goes when the folder is opened', async (t) => {
  const data = tempFolder(t);
  const folder = await openChunkFolder(data);
  writeFileSync(join(folder, '7.json'), 'left');
  assert.equal(await openChunkFolder(data), folder);
  assert.deepEqual(readdirSync(folder), []);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
});

test('a journal that fails in the middle leaves no file', async (t) => {
  const { record } = admitCall(litellmEvent(1), receivedAt);
  const calls = Array.from({ length: 150 }, (_, seq) => ({ seq, receivedAt, record }));
  const folder = tempFolder(t);
  const parts = partsFor(folder, calls);
  const { journal } = parts;
  const failing = {
    chunkPage: async (chunk: number, after: number) => {
      if (after > 0) throw new Error('gone');
      return journal.chunkPage(chunk, after);
    },
  };
  await assert.rejects(writeChunk({ ...parts, journal: failing }, { id: 1 }), /gone/);
  assert.deepEqual(readdirSync(folder), []);
});

test('gzip members can be decoded one by one and together', async (t) => {
  const path = join(tempFolder(t), 'lines');
  const writer = await createMemberWriter(path);
  await writer.write(Buffer.from('one'));
  const first = await writer.endMember();
  await writer.write(Buffer.from('two'));
  const second = await writer.endMember();
  assert.equal(await writer.endMember(), undefined, 'none has begun');
  await writer.close();
  assert.deepEqual([first?.offset, second?.offset], [0, first?.length]);
  const bytes = readFileSync(path);
  assert.equal(gunzipSync(bytes).toString(), 'onetwo');
  assert.equal(gunzipSync(bytes.subarray(first?.length)).toString(), 'two');
});
