import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseJson } from '../../src/call/parse-json.ts';
import { splitBody } from '../../src/call/split-body.ts';
import { readAll } from '../support/read-all.ts';

const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\r', '\t'), maxLength: 3 });

/** Any object that says it is a call; what it holds may look like structure. */
const call = fc
  .tuple(
    fc.string({ minLength: 1 }),
    fc.dictionary(
      fc.string({ unit: 'grapheme' }),
      fc.oneof(
        fc.jsonValue({ maxDepth: 4 }).filter((value) => !/\d{16}/.test(JSON.stringify(value))),
        fc.string({ unit: fc.constantFrom(...'{}[]",:\\ \n\0a') }),
        fc.constant([{ id: 'a' }, { id: 'b', litellm_call_id: 'c' }]),
      ),
      { maxKeys: 5, noNullPrototype: true },
    ),
  )
  .map(([id, rest]) => ({ id, litellm_call_id: id, ...rest }));

const calls = fc.array(call, { minLength: 1, maxLength: 6 });

const indent = fc.constantFrom(undefined, 0, 1, 2, '\t');

/** The calls in a body, all of whose elements have to be calls. */
function callsIn(body: string): unknown[] {
  return readAll(Buffer.from(body)).map((element) => {
    assert.equal(element.kind, 'call', JSON.stringify(element));
    return element.payload;
  });
}

/** What is read as JSON, without NUL, which is dropped on purpose. */
const plain = (value: unknown): unknown =>
  parseJson(
    JSON.stringify(value).replace(/\\\\|\\u0000/g, (found) => (found === '\\\\' ? found : '')),
  );

const formatOf = (body: string) => splitBody(Buffer.from(body), () => 'json').format;

test('an array gives its elements, whatever they hold and whatever stands between', () => {
  fc.assert(
    fc.property(
      calls,
      fc.array(space, { minLength: 20, maxLength: 20 }),
      indent,
      (events, gaps, by) => {
        let gap = 0;
        const between = () => gaps[gap++ % gaps.length] ?? '';
        const inner = events.map(
          (event) => between() + JSON.stringify(event, undefined, by) + between(),
        );
        const body = `${between()}[${inner.join(',')}]${between()}`;
        assert.deepEqual(callsIn(body), events.map(plain));
      },
    ),
  );
});

test('lines give a call each, with any line ends and blank lines', () => {
  const ends = fc.array(fc.constantFrom('\n', '\r\n', '\n\n', ' \n'), {
    minLength: 6,
    maxLength: 6,
  });
  fc.assert(
    fc.property(calls, ends, fc.boolean(), (events, lineEnds, isLastEnded) => {
      const lines = events.map(
        (event, index) =>
          JSON.stringify(event) + (index < events.length - 1 || isLastEnded ? lineEnds[index] : ''),
      );
      assert.deepEqual(callsIn(lines.join('')), events.map(plain));
    }),
  );
});

test('a call of its own is one call, also when it is printed over many lines', () => {
  fc.assert(
    fc.property(call, space, space, indent, (event, before, behind, by) => {
      assert.deepEqual(callsIn(before + JSON.stringify(event, undefined, by) + behind), [
        plain(event),
      ]);
    }),
  );
});

test('the format is told from the body', () => {
  assert.equal(formatOf('[{}]'), 'json_array');
  assert.equal(formatOf('{}\n{}'), 'ndjson');
  assert.equal(formatOf('{}'), 'single');
  assert.equal(formatOf('{\n}\n'), 'single');
  assert.equal(formatOf('words'), 'not_json');
  assert.equal(formatOf(' \n'), 'empty');
});

test('a byte order mark is no part of the first call', () => {
  const event = { litellm_call_id: 'x' };
  for (const body of [JSON.stringify([event]), JSON.stringify(event)]) {
    assert.deepEqual(callsIn(`\ufeff${body}`), [event]);
  }
});

test('slices are where the elements stand, for the dead letters to quote', () => {
  const body = '[ {"litellm_call_id": 1} ,\n null , x]';
  const slices = readAll(Buffer.from(body)).map(({ slice }) => body.slice(slice.start, slice.end));
  assert.deepEqual(slices, ['{"litellm_call_id": 1}', 'null', 'x']);
});
