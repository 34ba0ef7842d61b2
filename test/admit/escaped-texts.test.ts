import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { maskText } from '../../src/admit/mask-secrets.ts';
import { patternNames } from '../../src/admit/redaction-options.ts';
import { textPatterns } from '../../src/admit/text-patterns.ts';

const all = (text: string) =>
  textPatterns({ patterns: patternNames, customPatterns: [] })?.(text) ?? '';

/** What stands in a text as JSON, or as JSON of JSON. */
function quoted(value: unknown, times: number, ascii: boolean): string {
  let text = JSON.stringify(value);
  for (let level = 0; level < times; level += 1) {
    if (ascii) text = text.replace(/[\u0080-\uffff]/g, escapeOf);
    if (level > 0) text = JSON.stringify(text);
  }
  return text;
}

function unquoted(text: string, times: number): unknown {
  let value: unknown = text;
  for (let level = 0; level < times; level += 1) value = JSON.parse(String(value));
  return value;
}

const escapeOf = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

const secrets: readonly (readonly [text: string, core: string])[] = [
  ['ada@example.com', 'example.com'],
  ['ada@exämple.de', 'mple.de'],
  ['müller@example.de', 'ller@'],
  ['10.1.2.4', '10.1.2.4'],
  ['2001:db8::1', 'db8'],
  ['4111111111111111', '4111'],
  ['4111 1111 1111 1111', '4111'],
  ['AKIAIOSFODNN7EXAMPLE', 'IOSFODNN7'],
  ['sk-proj-abcdefghijklmnop', 'abcdefgh'],
  ['ghp_16C7e42F292c6912E7710c838347Ae', '16C7e42F'],
  ['gsk_1234567890abcdefghij', '1234567890'],
  ['Bearer abcdefghijklmnop', 'abcdefgh'],
  ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl', 'eyJ'],
  ['https://ada:lovelace99@host/', 'lovelace99'],
  ['/?key=AIzaSyD-9tSrke72abcdef', 'SyD-9tSrke72'],
];
const gap = fc.constantFrom('\n', '\t', '\r\n', ' \f', '"');
const around = fc.string({ unit: 'grapheme', maxLength: 20 });
const times = fc.constantFrom(1, 2, 3);

for (const [secret, core] of secrets) {
  test(`${secret} is found behind escapes, and JSON in a text stays JSON with the rest as it was`, () => {
    fc.assert(
      fc.property(
        around,
        gap,
        gap,
        around,
        times,
        fc.boolean(),
        (before, a, b, behind, n, ascii) => {
          const text = quoted({ said: before + a + secret + b + behind, n: 1 }, n, ascii);
          const value = unquoted(all(text), n) as { said: string; n: number };
          assert.ok(!value.said.includes(core), value.said);
          assert.ok(
            value.said.startsWith(before + a) && value.said.endsWith(b + behind),
            value.said,
          );
          assert.equal(value.n, 1);
        },
      ),
    );
  });
}

const names = [
  'api_key',
  'apiKey',
  'password',
  'Authorization',
  'set-cookie',
  'aws_secret_access_key',
  'client_secret',
  'x-amz-security-token',
  'passphrase',
  'pwd',
];

for (const name of names) {
  test(`whatever stands under ${name} in the JSON that an error quotes is masked to its end`, () => {
    const secret = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(around, secret, around, times, (before, hidden, behind, n) => {
        const text = quoted({ before, [name]: hidden, behind, list: [hidden.length] }, n, false);
        const value = unquoted(maskText(text), n) as Record<string, unknown>;
        assert.match(String(value[name]), /^\*\*\*\\*$/);
        assert.deepEqual([value['before'], value['behind']], [before, behind]);
        assert.deepEqual(value['list'], [hidden.length]);
      }),
    );
  });
}

test('a number under a password in JSON is masked, a count of tokens is not', () => {
  const text = JSON.stringify({
    password: 123456,
    token: 1234567,
    max_tokens: 100_000,
    secret: null,
  });
  assert.deepEqual(JSON.parse(maskText(text)), {
    password: '***',
    token: 1234567,
    max_tokens: 100_000,
    secret: null,
  });
  assert.equal(maskText(JSON.stringify(text)), JSON.stringify(text.replace('123456', '"***"')));
});

test('a secret that ends with backslashes hides nothing behind it, at any depth of quoting', () => {
  for (const secret of ['a\\', 'a\\\\', '"', '\\"', "'\\'"]) {
    for (const n of [1, 2, 3]) {
      const text = quoted({ password: secret, x: 'stays', token: `${secret}${secret}` }, n, false);
      const value = unquoted(maskText(text), n) as Record<string, string>;
      assert.match(`${value['password']} ${value['token']}`, /^\*{3}\\* \*{3}\\*$/);
      assert.equal(value['x'], 'stays');
    }
  }
});

test('each secret of a list under a name is masked', () => {
  assert.equal(
    maskText('{"cookie": ["a=1", "b=2"], "x": "y"}'),
    '{"cookie": ["***", "***"], "x": "y"}',
  );
});

const inErrors: readonly (readonly [text: string, left: string])[] = [
  ['> Authorization: Token tok-1\n> Host: h', '> Authorization: ***\n> Host: h'],
  ['Cookie: sid=1; other=2\nnext', 'Cookie: ***\nnext'],
  ['Set-Cookie: sid=1; Path=/\\nnext', 'Set-Cookie: ***\\nnext'],
  ["headers={'cookie': 'sid=\"1\"', 'host': 'h'}", "headers={'cookie': '***', 'host': 'h'}"],
  ["{'cookie': b'sid', 'a': 1}", "{'cookie': b'***', 'a': 1}"],
  [
    "[(b'authorization', b'Token x'), (b'host', b'h')]",
    "[(b'authorization', b'***'), (b'host', b'h')]",
  ],
  ['[["cookie","a=1"],["host","h"]]', '[["cookie","***"],["host","h"]]'],
  ['curl -H "Authorization: Token abc" -d x', 'curl -H "Authorization: ***" -d x'],
  ['Signature=abcdef0123456789, SignedHeaders=host', 'Signature=***, SignedHeaders=host'],
  ['AWS4 Credential=ABCDEFGHIJKLMNOP/20260101/us', 'AWS4 Credential=***'],
  ["b'bad key:\\nsk-proj-abcdefgh'", "b'bad key:\\nsk-***'"],
  ['Server=db;Uid=ada;Pwd=hunter22;', 'Server=db;Uid=ada;Pwd=***;'],
  ["password='correct horse' and more", "password='***' and more"],
  ['{"password": "never closed', '{"password": "***'],
  ['"token": "never closed\nTraceback', '"token": "***\nTraceback'],
  ['{\\"api_key\\": \\"a\\\\\\"b\\", \\"x\\": 1}', '{\\"api_key\\": \\"***\\", \\"x\\": 1}'],
];

for (const [text, left] of inErrors) {
  test(`an error says ${JSON.stringify(left)} of ${JSON.stringify(text)}`, () => {
    assert.equal(maskText(text), left);
  });
}

const innocent = [
  'prompt_tokens: 1234567, max_tokens=100000, "total_tokens": 200000',
  'required: ["token", "id", "name"]',
  'PWD=/home/ada/project',
  'token: 1234567, next_token=7654321',
  'the password, the token, the cookie',
  '{"token": true, "secret": {"type": "string"}}',
];

for (const text of innocent) {
  test(`an error keeps ${JSON.stringify(text)}`, () => {
    assert.equal(maskText(text), text);
  });
}

const written = [
  'Cookie: 200 g of flour, three eggs\nCookies: bake them',
  '{"cookie": "chocolate chip", "token": "the"}',
  'Authorization: the director has to sign',
  'API keys: rotate them. Credentials: provide yours',
  'signature: (a: int) -> str; signature = inspect.signature(f)',
];

for (const text of written) {
  test(`what people write stays under all patterns: ${JSON.stringify(text)}`, () => {
    assert.equal(all(text), text);
  });
}

test('an own pattern finds what stands behind an escape, and its groups stay as they are written', () => {
  const own = textPatterns({
    patterns: [],
    customPatterns: [
      { name: 'own', regex: '\\bacme-(?P<id>[^;]+);', replacement: '[$<id>|$1|$&|$$|$7]' },
      { name: 'path', regex: 'C:\\\\new\\\\\\w+', replacement: '[path]' },
    ],
  });
  assert.equal(own?.('x\\nacme-a\\"b;'), 'x\\n[a\\"b|a\\"b|acme-a\\"b;|$|$7]');
  const pathTwice = textPatterns({
    patterns: [],
    customPatterns: [{ name: 'either', regex: 'C:[\\\\/]new', replacement: '-' }],
  });
  assert.equal(own?.('in C:\\new\\file'), 'in [path]');
  assert.equal(pathTwice?.('C:\\new C:/new C:\\new'), '- - -');
});
