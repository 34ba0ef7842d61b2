import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type CustomPattern,
  type PatternName,
  patternNames,
} from '../../src/admit/redaction-options.ts';
import { textPatterns } from '../../src/admit/text-patterns.ts';
import { workTime } from '../support/work-time.ts';

function without(name: PatternName, text: string): string {
  const pattern = textPatterns({ patterns: [name], customPatterns: [] });
  assert.ok(pattern);
  return pattern(text);
}

function withOwn(pattern: Omit<CustomPattern, 'name'>, text: string): string {
  return (
    textPatterns({ patterns: [], customPatterns: [{ name: 'own', ...pattern }] })?.(text) ?? ''
  );
}

const found: readonly (readonly [PatternName, text: string, left: string])[] = [
  ['e-mail', 'to ada@example.com.', 'to [e-mail].'],
  ['e-mail', '<ada.l+x@mail.example.co.uk>, b@c.de', '<[e-mail]>, [e-mail]'],
  ['e-mail', 'mailto:müller@exämple.de?x', 'mailto:[e-mail]?x'],
  ['e-mail', '/u?mail=ada%40example.com&x=1', '/u?mail=[e-mail]&x=1'],
  ['card-numbers', 'card 4111 1111 1111 1111, thanks', 'card [card], thanks'],
  ['card-numbers', '5500-0055-5555-5559', '[card]'],
  ['card-numbers', 'pay 12 4111 1111 1111 1111 35 now', 'pay 12 [card] 35 now'],
  ['card-numbers', '{"card":378282246310005}', '{"card":[card]}'],
  ['card-numbers', 'card_4111111111111111', 'card_[card]'],
  ['ip-addresses', 'from 10.0.0.1:8080.', 'from [ip]:8080.'],
  ['ip-addresses', 'at 192.168.1.254.', 'at [ip].'],
  ['ip-addresses', '[2001:db8::1]:443 and ::1', '[[ip]]:443 and [ip]'],
  ['ip-addresses', '::ffff:10.0.0.1', '[ip]'],
  ['ip-addresses', 'fe80::1: no route', '[ip]: no route'],
  ['aws-keys', 'AKIAIOSFODNN7EXAMPLE', 'AKIA***'],
  [
    'aws-keys',
    'aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    'aws_secret_access_key = ***',
  ],
  ['aws-keys', '"sessionToken": "IQoJb3JpZ2luX2VjEXAMPLE=="', '"sessionToken": "***"'],
  ['aws-keys', 'https://b/o?X-Amz-Signature=f00ba4&x=1', 'https://b/o?X-Amz-Signature=***&x=1'],
  ['bearer-tokens', 'Authorization: Bearer abc.def-123/456=', 'Authorization: Bearer ***'],
  ['bearer-tokens', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln!', '***!'],
  ['credentials', 'use sk-proj-a1B2c3D4e5 here', 'use sk-*** here'],
  [
    'credentials',
    '-----BEGIN RSA PRIVATE KEY-----\nMIIEow+/=\n-----END RSA PRIVATE KEY----- x',
    '[private key] x',
  ],
];

for (const [name, text, left] of found) {
  test(`${name} takes what it finds out of ${JSON.stringify(text)}`, () => {
    assert.equal(without(name, text), left);
  });
}

const innocent: readonly (readonly [PatternName, string])[] = [
  ['e-mail', 'react@18.2.0, git@host, @ada, a @ b.com, x@y'],
  ['card-numbers', '4111 1111 1111 1112 and 1795531714123 and 0.4111111111111111'],
  ['card-numbers', 'chatcmpl-24338abe4111111111111111b'],
  ['card-numbers', '41111111111111111111111'],
  ['ip-addresses', '12:30:45, std::fmt, Abc::Def, 1.2.3, 300.1.1.1, a:b, v1.2.3.4'],
  ['bearer-tokens', 'the bearer of this, Basic idea'],
  ['aws-keys', 'AKIA is a prefix; a session token is not a key'],
];

for (const [name, text] of innocent) {
  test(`${name} leaves ${JSON.stringify(text)} alone`, () => {
    assert.equal(without(name, text), text);
  });
}

const word = fc.stringMatching(/^[a-z]{1,12}$/);
const around = fc.string({ unit: 'grapheme', maxLength: 40 });

test('no e-mail address survives, whatever stands around it', () => {
  fc.assert(
    fc.property(around, word, word, around, (before, name, host, behind) => {
      const address = `${name}@${host}.example.com`;
      assert.ok(!without('e-mail', `${before} ${address} ${behind}`).includes(address));
    }),
  );
});

test('every card number of every length goes, in any grouping', () => {
  const digits = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 11, maxLength: 17 });
  const separator = fc.constantFrom('', ' ', '-');
  fc.assert(
    fc.property(fc.constantFrom('2', '3', '4', '5', '6'), digits, separator, (first, rest, gap) => {
      const body = first + rest.join('');
      const card = body + checkDigit(body);
      const written = gap === '' ? card : (card.match(/.{1,4}/g) ?? []).join(gap);
      assert.equal(without('card-numbers', `no. ${written}!`), 'no. [card]!');
    }),
  );
});

/** The digit that makes a Luhn sum right, reckoned in another way than the program does. */
function checkDigit(body: string): string {
  const doubled = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
  const sum = [...body]
    .reverse()
    .reduce(
      (total, digit, place) =>
        total + (place % 2 === 0 ? (doubled[Number(digit)] ?? 0) : Number(digit)),
      0,
    );
  return String((10 - (sum % 10)) % 10);
}

test('no IPv6 address survives', () => {
  fc.assert(
    fc.property(
      fc.ipV6().filter((address) => /\d/.test(address)),
      (address) => {
        assert.ok(!without('ip-addresses', `at ${address} now`).includes(address), address);
      },
    ),
  );
});

test('an own pattern is replaced by its text, with its groups', () => {
  const pattern = { regex: '(?i)acme-([0-9]+)', replacement: '[ticket $1]' };
  assert.equal(withOwn(pattern, 'see ACME-12, acme-7'), 'see [ticket 12], [ticket 7]');
});

test('an own pattern that would hang a backtracking engine takes no time', () => {
  const took = workTime(() => {
    withOwn({ regex: '(a+)+$', replacement: '' }, `${'a'.repeat(50_000)}!`);
  });
  assert.ok(took < 2_000, `${took} ms`);
});

const units = [
  'a@',
  'a%40',
  'a.',
  '@',
  '1 ',
  '4111-',
  '1',
  '::',
  'a:',
  '1.',
  'eyJ-',
  'eyJaaaaaaaa.',
  'Bearer ',
  'AKIA',
  'session_token ',
  '-----BEGIN PRIVATE KEY-----',
  'secret access key',
  '\\n1.',
  '\\u00e4@',
  '\\\\"password\\":\\"',
  'authorization: 1',
];

for (const name of patternNames) {
  test(`${name} takes no longer for each byte of a long hostile text than of a short one`, () => {
    for (const unit of units) {
      const time = (count: number) => {
        const text = unit.repeat(count);
        return workTime(() => without(name, text));
      };
      time(1000);
      const short = time(4_000);
      const long = time(64_000);
      // Sixteen times the length: by the square it would be 256 times the time.
      assert.ok(long < 64 * short + 150, `${unit}: ${short} ms, then ${long} ms`);
    }
  });
}
