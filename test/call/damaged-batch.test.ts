import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BatchElement } from '../../src/call/read-batch.ts';
import { fixtureEvents } from '../support/litellm-fixture.ts';
import { readAll } from '../support/read-all.ts';

/** What makes a split hard: objects that begin as calls do, and text that looks like structure. */
const parallelToolCalls = {
  choices: [
    {
      message: {
        content: 'Hello, see {"a": [1, 2]}, `if (x) { y[0] }]`, and "quotes" \\',
        tool_calls: [1, 2, 3].map((number) => ({ id: `call_${number}`, status: 'completed' })),
      },
    },
  ],
};

/** Real calls of several kinds, without the 8 KB of the model map, as LiteLLM's bytes. */
const elements = [
  'chat_success',
  'responses',
  'error_500',
  'chat_tools',
  'messages',
  'error_bad_json',
  'chat_stream',
].map((name) => {
  const { model_map_information, ...event } = fixtureEvents(`${name}.json`)[0] ?? {};
  return asPythonWrites(name === 'chat_tools' ? { ...event, response: parallelToolCalls } : event);
});

/** JSON with Python's separators, in ASCII. */
function asPythonWrites(value: unknown): string {
  return JSON.stringify(value, undefined, 1)
    .replace(/(,?)\n */g, (_, comma: string) => (comma === '' ? '' : ', '))
    .replace(
      /[\u0080-\uffff]/g,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
}

const formats = {
  json_array: (parts: string[]) => `[${parts.join(', ')}]`,
  ndjson: (parts: string[]) => parts.join('\n'),
};

const read = (body: string): BatchElement[] => readAll(Buffer.from(body));

function callsIn(batch: BatchElement[]): unknown[] {
  return batch.flatMap((element) => (element.kind === 'call' ? [element.payload] : []));
}

/** All calls but the damaged one are there, whole and in order, and nothing was made up. */
function assertOthersIntact(parts: string[], damaged: number, body: string): void {
  const batch = read(body);
  const calls = callsIn(batch);
  const others = parts
    .filter((_, index) => index !== damaged)
    .map((part): unknown => JSON.parse(part));
  const survived = calls.length === parts.length;
  if (survived) calls.splice(damaged, 1);
  assert.deepEqual(calls, others);
  assert.ok(batch.length >= parts.length);
  // A closing brace too many leaves a call that ends early, and its rest.
  assert.ok(batch.length <= parts.length + 1, `${batch.length - calls.length} unusable elements`);
}

for (const [format, join] of Object.entries(formats)) {
  test(`a byte lost or added in a call of a ${format} costs no other call`, () => {
    const damage = fc.record({
      order: fc.shuffledSubarray([...elements.keys()], { minLength: 2 }),
      which: fc.nat(),
      where: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      added: fc.option(fc.constantFrom(...'{}[]",:\\ x0'), { nil: undefined }),
    });
    fc.assert(
      fc.property(damage, ({ order, which, where, added }) => {
        const parts = order.map((index) => elements[index] ?? '');
        const damaged = which % parts.length;
        const whole = parts[damaged] ?? '';
        const at = Math.floor(where * whole.length);
        const broken =
          added === undefined
            ? whole.slice(0, at) + whole.slice(at + 1)
            : whole.slice(0, at + 1) + added + whole.slice(at + 1);
        assertOthersIntact(parts, damaged, join(parts.with(damaged, broken)));
      }),
      { numRuns: 1000 },
    );
  });
}

test('wherever a byte of a small call is lost or replaced, its neighbours come out', () => {
  const parts = [1, 2, 3].map((number) =>
    asPythonWrites({
      id: `id-${number}`,
      litellm_call_id: `call-${number}`,
      status: 'success',
      messages: [{ role: 'user', content: 'a, {b} [c], "d": {"id": 1}, {' }],
      response: { output: [{ id: 'x' }, { id: 'y', status: 'success' }] },
      startTime: 1_795_531_721.5,
    }),
  );
  for (const damaged of parts.keys()) {
    const whole = parts[damaged] ?? '';
    for (let at = 0; at < whole.length; at += 1) {
      for (const instead of ['', ...'{}[]",:x']) {
        const broken = whole.slice(0, at) + instead + whole.slice(at + 1);
        assertOthersIntact(parts, damaged, formats.json_array(parts.with(damaged, broken)));
      }
    }
  }
});

test('calls between broken ones come out, however many are broken', () => {
  const good = elements[3] ?? '';
  const withoutQuote = good.replace('"id"', '"id');
  const withoutBrace = good.slice(0, -1);
  const parts = Array.from({ length: 300 }, (_, index) => {
    if (index % 3 === 1) return withoutQuote;
    return index % 3 === 2 ? withoutBrace : good;
  });
  const batch = read(formats.json_array(parts));
  assert.deepEqual(
    batch.map(({ kind }) => kind),
    parts.map((part) => (part === good ? 'call' : 'unusable')),
  );
});

test('where most calls are broken, objects within a whole one are not taken for calls', () => {
  const good = asPythonWrites({
    id: 'response-1',
    litellm_call_id: 'call-1',
    response: { tool_calls: [{ id: 'call_1' }, { id: 'call_2' }, { id: 'call_3' }] },
    messages: 'x'.repeat(20_000),
  });
  const parts = Array.from({ length: 300 }, (_, index) =>
    index % 3 === 0 ? good : good.slice(0, -1),
  );
  const kinds = read(formats.json_array(parts)).map(({ kind }) => kind);
  assert.deepEqual(
    kinds,
    parts.map((part) => (part === good ? 'call' : 'unusable')),
  );
});

test('a batch that begins with broken calls is read from the first whole one on', () => {
  const good = elements[3] ?? '';
  const parts = [good.slice(1), good.slice(0, -2), good, good];
  const kinds = read(formats.json_array(parts)).map(({ kind }) => kind);
  assert.deepEqual(kinds.slice(-2), ['call', 'call']);
  assert.deepEqual(new Set(kinds.slice(0, -2)), new Set(['unusable']));
});

const [first = '', second = ''] = elements;
const unusable: readonly (readonly [what: string, body: string, kinds: string[]])[] = [
  ['null', `[${first}, null, ${second}]`, ['call', 'null', 'call']],
  ['a number', `[7, ${second}]`, ['not_an_object', 'call']],
  ['a text', `[${first}, "text, with [brackets"]`, ['call', 'not_an_object']],
  ['an array', `[${first}, [1, [2]], ${second}]`, ['call', 'not_an_object', 'call']],
  ['another object', `[{"hello": "world"}, ${second}]`, ['not_a_litellm_call', 'call']],
  ['bare words', `[${first}, nonsense, ${second}]`, ['call', 'broken_json', 'call']],
  ['nothing between commas', `[${first},, ${second},]`, ['call', 'call']],
  ['a cut at the end', `[${first}, ${second.slice(0, 900)}`, ['call', 'broken_json']],
  ['a cut behind a whole call', `[${first}, ${second}`, ['call', 'call']],
  ['trailing words', `[${first}, ${second}] and more`, ['call', 'call', 'broken_json']],
  ['the all-text payload', '[{"id": "1", "startTime": "x", "metadata": "{}"}]', ['legacy_payload']],
  ['a null line', `${first}\nnull\n${second}\n`, ['call', 'null', 'call']],
  ['a line cut off', `${first}\n${second.slice(0, 900)}`, ['call', 'broken_json']],
  ['a first line cut off', `${first.slice(0, 900)}\n${second}`, ['broken_json', 'call']],
  ['a single call cut off', first.slice(0, 900), ['broken_json']],
];

for (const [what, body, kinds] of unusable) {
  test(`${what} costs itself alone`, () => {
    const batch = read(body);
    assert.deepEqual(
      batch.map((element) => (element.kind === 'call' ? 'call' : element.reason)),
      kinds,
    );
    for (const { slice } of batch) assert.ok(slice.start < slice.end && slice.end <= body.length);
  });
}

test('an item of an answer that ended well is no call of its own', () => {
  const [element] = read('[{"id": "msg_1", "status": "completed", "type": "message"}]');
  assert.equal(element?.kind === 'unusable' && element.reason, 'not_a_litellm_call');
});

test('a body that is no JSON is one unusable element, all of it', () => {
  for (const body of ['hello', '<html></html>', '"text"', '42', '\u0000\u0001']) {
    assert.deepEqual(read(body), [
      { kind: 'unusable', slice: { start: 0, end: Buffer.byteLength(body) }, reason: 'not_json' },
    ]);
  }
});

test('an empty body, an empty array and blank lines hold nothing', () => {
  for (const body of ['', ' \n\t\r\n', '[]', ' [ ] ', '\ufeff', '\ufeff[]']) {
    assert.deepEqual(read(body), [], JSON.stringify(body));
  }
});
