import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { parseJson } from '../../src/call/parse-json.ts';
import { readBatch } from '../../src/call/read-batch.ts';
import { readRecord } from '../../src/journal/read-record.ts';

/** Keys that begin, written, with the letters of those that V8 may remember. */
const escaped = ['\n', '"', 'é', '\ufffd', '\nxy', 'e\u0301"', '__proto__', 'a'];
const remembered = ['\\', '\\nx', '\\u00', 'e\\u'];

/** With all but ASCII as escapes, as Python writes it. */
const written = (value: unknown) =>
  JSON.stringify(value).replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/**
 * Objects in which such keys stand behind the same key as before.
 *
 * @param first Another one in each test: V8 learns from the first of them alone.
 */
const object = (first: string, keys: readonly string[], value: unknown) =>
  keys.map((key) => Object.fromEntries([[first, 1] as const, [key, value] as const]));

test('a key with an escape is read as what it is, whatever was read before', () => {
  for (const poison of object('first', remembered, 1)) JSON.parse(JSON.stringify(poison));
  for (const one of object('first', escaped, [{ '\t': { '"': 'x\\": ' } }])) {
    assert.deepEqual(parseJson(written(one)), one, written(one));
  }
});

test('of keys that are the same the last one counts, however they are written', () => {
  for (const text of [
    '{"a\\n": 1, "b": 2, "\\u0061\\u000a": 3}',
    '{"a": 1, "\\u0061": 2, "a": 3}',
    '{"\\u0031": 1, "1": 2}',
    '{"1": 1, "\\u0031": 2}',
    '{"x\\ud800": 1, "x\\ud800": 2}',
    '{"\\u005f_proto__": {"a": 1}, "__proto__": {"a": 2}}',
  ]) {
    assert.deepEqual(parseJson(text), JSON.parse(text), text);
  }
});

test('what looks like a key within a text is part of that text', () => {
  const value = { text: '{"a\\n": "{\\"b\\": 1}"}', '\\': '"\\" :', end: '\\' };
  assert.deepEqual(parseJson(JSON.stringify(value)), value);
});

test('a key that is no JSON is refused', () => {
  for (const broken of ['{"\\x": 1}', '{"a\\', '{"a\\n": }', '{"a\\n" 1}', '{"a\nb\\n": 1}']) {
    assert.throws(() => parseJson(broken), SyntaxError, broken);
  }
});

test('a call that is nested beyond the stack says so, also where a key of it has an escape', () => {
  const deep = `${'['.repeat(100_000)}{"a\\n": 1}${']'.repeat(100_000)}`;
  const elements = [...readBatch(Buffer.from(`[{"litellm_call_id": "a", "messages": ${deep}}]`))];
  assert.deepEqual(
    elements.map((element) => element.kind === 'unusable' && element.reason),
    ['too_deep'],
  );
});

test('any JSON is read as what was written, with any keys', () => {
  const key = fc.string({ unit: fc.constantFrom('\\', '"', '\n', 'n', 'u', '0', 'é', '😀', ':') });
  const { any } = fc.letrec<{ any: unknown }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      key,
      fc.integer(),
      fc.constant(null),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(key, tie('any'), { maxKeys: 3, noNullPrototype: true }),
    ),
  }));
  fc.assert(
    fc.property(any, fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
      assert.deepEqual(parseJson(JSON.stringify(value, undefined, indent)), value);
      assert.deepEqual(parseJson(written(value)), value);
    }),
    { numRuns: 500 },
  );
});

test('the names of parameters come in as they were posted', () => {
  const read = (call: string) => {
    const [element] = [...readBatch(Buffer.from(`[${call}]`))];
    return element?.kind === 'call' ? element.payload['model_parameters'] : element;
  };
  // Long integers and bare words are read in ways of their own.
  for (const [first, more] of [
    ['plain', '0'],
    ['long', '12345678901234567890'],
    ['bare', 'NaN'],
  ] as const) {
    for (const poison of object(first, remembered, 'x')) JSON.parse(JSON.stringify(poison));
    for (const parameters of object(first, escaped, 'x')) {
      const text = JSON.stringify({ model_parameters: parameters, litellm_call_id: 'a' });
      assert.deepEqual(read(text.replace(/}$/, `, "more": ${more}}`)), parameters, text);
    }
  }
});

test('the names of parameters come out of the journal as they went in', () => {
  for (const poison of object('kept', remembered, 'x')) JSON.parse(JSON.stringify(poison));
  for (const parameters of object('kept', escaped, 'x')) {
    const record = JSON.stringify({ parameters });
    const read = readRecord({ record, record_crc: crc32(record) });
    assert.deepEqual(read?.parameters, parameters);
  }
});
