import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseLenientJson } from '../../src/call/lenient-json.ts';

/** A text as Python may write it, and what it is to become. */
interface Written {
  text: string;
  value: unknown;
}

const member = (text: string, value: unknown = text): Written => ({ text, value });

const beyondJson = fc.constantFrom(member('NaN'), member('Infinity'), member('-Infinity'));

const whole = fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }).map((number): Written => {
  const safe =
    number >= BigInt(Number.MIN_SAFE_INTEGER) && number <= BigInt(Number.MAX_SAFE_INTEGER);
  return member(String(number), safe ? Number(number) : String(number));
});

/** Integers that JavaScript's numbers cannot hold become texts; that has a test of its own. */
const hasBigInteger = (written: string) => /\d{16}/.test(written);

const ordinary = fc.oneof(
  fc
    .double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 })
    .map((number) => member(Object.is(number, -0) ? '-0.0' : String(number), number)),
  fc.constantFrom(member('null', null), member('true', true), member('false', false)),
);

/** Any UTF-16 units, halves of surrogate pairs and NUL among them, written as Python does. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(0, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0x22, 0x5c, 0x7b, 0x2c, 0x0a),
      fc.integer({ min: 0, max: 0xffff }),
      fc.constantFrom(
        ...[...'NaN Infinity 12345678901234567890 u0000 ud800'].map((c) => c.charCodeAt(0)),
      ),
    ),
    { maxLength: 40 },
  )
  .map((units): Written => {
    const written = String.fromCharCode(...units);
    const ascii = JSON.stringify(written).replace(
      /[\u0080-\uffff]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    return { text: ascii, value: written.toWellFormed().replaceAll('\0', '') };
  });

const { json } = fc.letrec<{ json: Written }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    beyondJson,
    whole,
    ordinary,
    text,
    fc.array(tie('json'), { maxLength: 5 }).map(
      (items): Written => ({
        text: `[${items.map((item) => item.text).join(', ')}]`,
        value: items.map((item) => item.value),
      }),
    ),
    fc
      .uniqueArray(fc.tuple(text, tie('json')), { maxLength: 5, selector: ([key]) => key.value })
      .map(
        (members): Written => ({
          text: `{${members.map(([key, item]) => `${key.text}: ${item.text}`).join(', ')}}`,
          value: Object.fromEntries(members.map(([key, item]) => [key.value, item.value])),
        }),
      ),
  ),
}));

test('whatever Python writes is read: exact digits, well-formed texts, no NUL', () => {
  fc.assert(
    fc.property(json, ({ text, value }) => {
      assert.deepEqual(parseLenientJson(text), value);
    }),
    { numRuns: 2000 },
  );
});

test('what is plain JSON is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(
      fc.jsonValue().filter((value) => !hasBigInteger(JSON.stringify(value))),
      (value) => {
        assert.equal(
          JSON.stringify(parseLenientJson(JSON.stringify(value))),
          JSON.stringify(value),
        );
      },
    ),
  );
});

test('a text that is no JSON is refused', () => {
  for (const broken of ['', '{', '"', '{"a": nan}', '[1,]', 'Infinityx', "{'a': 1}", '"\\ud8"']) {
    assert.throws(() => parseLenientJson(broken), SyntaxError, broken);
  }
});

test('numbers within texts and keys stay as they are', () => {
  const written =
    '{"NaN": "NaN, 12345678901234567890", "a\\"Infinity": [NaN, "\\\\"], "n": 12345678901234567890}';
  assert.deepEqual(parseLenientJson(written), {
    NaN: 'NaN, 12345678901234567890',
    'a"Infinity': ['NaN', '\\'],
    n: '12345678901234567890',
  });
});

test('a member named __proto__ is a member like another', () => {
  const parsed = parseLenientJson('{"__proto__": {"polluted": NaN}}');
  assert.ok(typeof parsed === 'object' && parsed !== null);
  assert.ok(Object.hasOwn(parsed, '__proto__') && !('polluted' in {}));
});
