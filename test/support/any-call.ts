import fc from 'fast-check';
import type { CallRecord } from '../../src/call/call-record.ts';

/** What has two bytes, three or four in UTF-8, one unit or two in UTF-16, and what is no text at all. */
const characters = ['x', 'é', '漢', '😀', '\0', '\ud800', '\udc00', "'", '%', '\\'];
/** What paths are made of, as which MLflow checks names; a letter that Python may not know yet. */
const ofPaths = ['.', '/', ' ', ':', '-', 'a', '\u{323b0}'];
/** Around each length at which MLflow, a database below it or the serializer refuses or cuts. */
const lengths = [250, 255, 256, 500, 5_000, 6_000, 8_000].flatMap((most) => [
  most - 1,
  most,
  most + 1,
]);

/** One character over and over, shifted by one so that a limit may fall into its middle. */
const longText = fc
  .tuple(
    fc.constantFrom('', 'a'),
    fc.constantFrom(...characters),
    fc.constantFrom(...lengths, 20_000),
  )
  .map(([shift, character, length]) =>
    (shift + character.repeat(length)).slice(0, Math.max(length, 1)),
  );

/** A text such as no person writes: any character, at any length around a limit. */
export const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.string({ unit: fc.constantFrom(...characters), maxLength: 12 }),
  fc.string({ unit: fc.constantFrom(...ofPaths), maxLength: 6 }),
  fc.constantFrom('', ' ', '..', '/', 'a/b', "it's", '{"a":1}', '%(a)s', '\u{10ffff}\ufffe'),
  longText,
);
const filled = anyText.filter((text) => text !== '');
const wholeRange = fc.double({ min: 0, noNaN: true }).map((number) => number + 0);
const count = fc.oneof(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), wholeRange);
const money = fc.oneof(fc.double({ min: 0, max: 1e6, noNaN: true }), wholeRange);

const latestDate = 8.64e15;
const day = 86_400_000;
const start = fc.oneof(
  fc.double({ min: 946_684_800_000, max: 4_102_444_799_000, noNaN: true }),
  // MLflow shows the time 0 as none.
  fc.double({ min: 1, max: latestDate - day, noNaN: true }),
);

/**
 * Any call that the types allow, and more than that: texts that are not well-formed, numbers that are
 * not finite, dates that no clock shows.
 */
export const anyCall: fc.Arbitrary<CallRecord> = fc.record(
  {
    recordId: fc.stringMatching(/^[0-9a-f]{64}$/),
    status: fc.constantFrom('success', 'failure'),
    stream: fc.boolean(),
    cacheHit: fc.boolean(),
    times: fc
      .tuple(start, fc.double({ min: 0, max: day, noNaN: true }))
      .map(([from, length]) => ({ start: from, end: from + length, source: 'call' as const })),
    tokens: fc.record(
      { prompt: count, completion: count, total: count, cacheRead: count, reasoning: count },
      { requiredKeys: [] },
    ),
    cost: fc.record({ usd: money, savedUsd: money }, { requiredKeys: [] }),
    caller: fc.record(
      { userId: filled, teamId: filled, teamAlias: filled, keyAlias: filled, endUser: filled },
      { requiredKeys: [] },
    ),
    requestTags: fc.uniqueArray(filled, { maxLength: 8 }),
    parameters: fc.dictionary(anyText, anyText, { maxKeys: 12 }),
    callId: filled,
    responseId: filled,
    model: filled,
    modelGroup: filled,
    provider: filled,
    apiBase: filled,
    retries: count,
    overheadMs: money,
  },
  {
    requiredKeys: [
      'recordId',
      'status',
      'stream',
      'cacheHit',
      'times',
      'tokens',
      'cost',
      'caller',
      'requestTags',
      'parameters',
    ],
  },
);
