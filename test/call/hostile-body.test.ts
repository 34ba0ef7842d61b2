import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAll } from '../support/read-all.ts';
import { workTime } from '../support/work-time.ts';

const good =
  '{"id": "chatcmpl-1", "litellm_call_id": "call-1", "status": "success", "messages": [{"id": "m"}]}';

/** The first `length` bytes of `unit` over and over. */
const repeated = (unit: string, length: number) =>
  unit.repeat(Math.ceil(length / unit.length)).slice(0, length);

/** Bodies that are made to be slow to read, by their length. */
const shapes: Readonly<Record<string, (length: number) => string>> = {
  'brackets that never close': (length) => repeated('[', length),
  'braces that never close': (length) => `[${repeated('{', length)}`,
  'brackets that close nothing': (length) => `[${repeated(']}', length)}`,
  'starts of calls': (length) => `[${repeated('{"id"', length)}`,
  'starts of calls behind commas': (length) => `[${repeated(',{"id": "', length)}`,
  'starts of calls behind a whole one': (length) =>
    `[${good}${repeated(',{"id": "x", "litellm_call_id": "', length)}`,
  'calls that all lack a brace': (length) => `[${repeated(`${good.slice(0, -1)}, `, length)}`,
  'calls that all lack a quote': (length) =>
    `[${good}, ${repeated(`${good.replace('"id', 'id')}, `, length)}`,
  quotes: (length) => `[${repeated('"', length)}`,
  backslashes: (length) => `["${repeated('\\', length)}`,
  'a text that never closes': (length) => `[${good}, {"id": "${repeated('x', length)}`,
  'white space and commas': (length) => `[${repeated('  ,  ', length)}`,
  'bare words': (length) => `[${repeated('a,', length)}`,
  'members without an object': (length) => `[${repeated('"a":1,', length)}`,
  numbers: (length) => `[${repeated('1,', length)}`,
  'long numbers': (length) => `[{"litellm_call_id": [${repeated('12345678901234567,', length)}1]}]`,
  'half surrogates': (length) => `[{"litellm_call_id": "${'\\ud83d'.repeat(length / 6)}"}]`,
  'lines of braces': (length) => repeated('{\n', length),
  'lines that are broken': (length) => repeated('{x}\n', length),
  'lines of empty objects': (length) => repeated('{}\n', length),
};

const megabyte = 1024 * 1024;
/** What reading is allowed on a slow and busy machine; a time that grows by the square is far beyond. */
const mostMsPerMegabyte = 2000;

for (const [what, make] of Object.entries(shapes)) {
  test(`${what}: a long body takes no longer for each megabyte than a short one`, () => {
    const time = (length: number) => {
      const body = Buffer.from(make(length));
      return workTime(() => readAll(body));
    };
    time(megabyte / 16);
    const short = time(megabyte / 4);
    const long = time(2 * megabyte);
    // Eight times the length: by the square it would be 64 times the time.
    assert.ok(long < 24 * short + 200, `${short} ms, then ${long} ms`);
    assert.ok(long < 2 * mostMsPerMegabyte, `${long} ms`);
  });
}

test('a body of countless elements that are no calls gives a bounded number of them', () => {
  for (const body of [`[${repeated('1,', megabyte)}1]`, repeated('{}\n', megabyte)]) {
    const batch = readAll(Buffer.from(body));
    assert.equal(batch.length, 10_001);
    const last = batch.at(-1);
    assert.equal(last?.kind === 'unusable' && last.reason, 'too_many_unusable');
    assert.equal(last?.slice.end, body.length);
  }
});

test('a batch of more calls than there may be unusable elements is read whole', () => {
  const call = '{"litellm_call_id": 1}';
  const batch = readAll(Buffer.from(`[${Array.from({ length: 20_000 }, () => call).join()}]`));
  assert.ok(batch.length === 20_000 && batch.every(({ kind }) => kind === 'call'));
});

test('an array that is nested as deep as memory allows is read or refused, not a crash', () => {
  const deep = `[{"litellm_call_id": ${'['.repeat(500_000)}${']'.repeat(500_000)}}, ${good}]`;
  assert.deepEqual(
    readAll(Buffer.from(deep)).map(({ kind }) => kind),
    ['call', 'call'],
  );
});

test('a call larger than can be read safely costs itself alone', () => {
  const good = JSON.stringify({ litellm_call_id: 'c', id: 'i', startTime: 1 });
  const large = `{"id": "${'x'.repeat(64 * 1024 * 1024)}"}`;
  const batch = readAll(Buffer.from(`[${good}, ${large}, ${good}]`));
  assert.deepEqual(
    batch.map((element) => (element.kind === 'call' ? 'call' : element.reason)),
    ['call', 'too_large', 'call'],
  );
});

test('a call of more parts than memory has room for costs itself alone, however short they are', () => {
  const many = (part: string, count: number) =>
    `{"litellm_call_id": "c", "x": [${Array.from({ length: count }, () => part).join()}]}`;
  const parts = 2_000_000;
  for (const [body, kind] of [
    [many('[]', parts), 'too_large'],
    [many('{"":0}', parts / 2), 'too_large'],
    // Numbers take little, and what stands in a text is one part.
    [many('0.25', parts + 10), 'call'],
    [many(JSON.stringify('["'.repeat(parts + 10)), 1), 'call'],
  ] as const) {
    const batch = readAll(Buffer.from(`[${good}, ${body}, ${good}]`));
    assert.deepEqual(
      batch.map((element) => (element.kind === 'call' ? 'call' : element.reason)),
      ['call', kind, 'call'],
    );
  }
});
