import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { maskSecrets } from '../../../src/cli/litellm/mask-secrets.ts';

const masked: readonly (readonly [what: string, text: string, shown: string])[] = [
  ['signs of YAML in quotes', 'master_key: "sk-12,34#abc{d}" # ours', 'master_key: *** # ours'],
  ['a brace in quotes, in braces', 'a: {token: "o{1}2", b: c}', 'a: {token: ***, b: c}'],
  ['a folded text', 'api_key: >-\n  sk-1\n  sk-2\nb: c', 'api_key: >-\n  ***\n  ***\nb: c'],
  ['a text over lines', 'password: "one\n  two"\nb: c', 'password: ***\n  ***\nb: c'],
  ['a list', 'api_keys:\n- sk-1\n- sk-2', 'api_keys:\n- ***\n- ***'],
  ['what is within', 'credentials: {sk-1: {id: a1}}', 'credentials: {***: {id: ***}}'],
  ['an alias', 'x: &k sk-1\napi_key: *k', 'x: &k ***\napi_key: *k'],
  ['a number', 'db_password: 12345678', 'db_password: ***'],
  ['a private key', 'pem: |\n  -----BEGIN PRIVATE KEY-----\n  MII', 'pem: |\n  ***\n  ***'],
  ['a login', 'a: postgresql://user:hunter2@db/x', 'a: postgresql://user:***@db/x'],
  ['a login without a name', 'a: [redis://:pw@x, 1]', 'a: [redis://:***@x, 1]'],
  ['a name with an @', 'a: pg://me@corp:p@w/1@db', 'a: pg://me@corp:***@db'],
  ['a token as a login', 'a: https://ghp_1@github.com', 'a: https://***@github.com'],
  ['a login with escapes', 'a: "pg:\\/\\/u:p@db"', 'a: ***'],
  ['a comment', '# api_key: sk-1\na: b # pg://u:p@db', '# api_key: ***\na: b # pg://u:***@db'],
  ['line ends of Windows', 'token: |\r\n  a\r\nb: c\r\n', 'token: |\r\n  ***\r\nb: c\r\n'],
  ['headers', 'headers: {X-Env: prod, X-Id-2: 12}', 'headers: {X-Env: ***, X-Id-2: ***}'],
  [
    'headers over lines',
    'extra_headers:\n  X-Auth-Token: 12345',
    'extra_headers:\n  X-Auth-Token: ***',
  ],
  [
    'a header that is switched off',
    'headers:\n  A-B: os.environ/C\n  # X-Env: d',
    'headers:\n  A-B: os.environ/C\n  # X-Env: ***',
  ],
  [
    'variables',
    'environment_variables:\n  SLACK_HOOK: https://h/1\n  ID2: x',
    'environment_variables:\n  SLACK_HOOK: ***\n  ID2: ***',
  ],
  ['the name of a webhook', 'webhook_url: https://a/b/c', 'webhook_url: ***'],
  [
    'a webhook',
    'a: {b: "https://hooks.slack.com/s/T0/1"}',
    'a: {b: "https://hooks.slack.com/***"}',
  ],
  ['a webhook by its path', '# https://d.com/api/webhooks/1/x', '# https://d.com/***'],
  ['a query', "a: 'http://x:4100/v1/events?sig=a,b' # c", "a: 'http://x:4100/v1/events?***' # c"],
  ['a cookie', 'cookie: session=1', 'cookie: ***'],
  ['a DSN', 'sentry_dsn: https://1@2/3', 'sentry_dsn: ***'],
  ['a key under any name', 'a: [sk-proj-12345678]\n# b ghp_0123456789', 'a: [***]\n# b ***'],
  ['no YAML', 'a: [x\n- b: y\n\nz w', 'a: ***\n- b: ***\n\n***'],
];

for (const [what, text, shown] of masked) {
  test(`secrets are masked: ${what}`, () => {
    assert.equal(maskSecrets(text), shown);
  });
}

for (const text of [
  'prompt_cache_min_tokens: 1024',
  'max_tokens: "many"',
  'token_limit: 5',
  'drop_key: true',
  'api_key: os.environ/KEY',
  'Authorization: "Bearer os.environ/TOKEN"',
  'endpoint: http://127.0.0.1:4100/v1/events',
  'headers: { Authorization: os.environ/SIDECAR_AUTH_TOKEN }',
  'model: openai/gpt-5',
  'a: "me@example.com" # api_key: os.environ/KEY',
]) {
  test(`what is no secret stays: ${text}`, () => {
    assert.equal(maskSecrets(text), text);
  });
}

test('no secret is shown, however it is written and whatever is in it', () => {
  const style = fc.constantFrom('PLAIN', 'QUOTE_DOUBLE', 'QUOTE_SINGLE', 'BLOCK_LITERAL');
  const ending = fc.stringMatching(/^[ -~\n]{0,20}$/);
  fc.assert(
    fc.property(style, ending, fc.nat(6), (defaultStringType, more, shape) => {
      const secret = `s3cr3t${more}s3cr3t`;
      const value = [
        { api_key: secret },
        { url: `pg://user:s3cr3t@db ${more}` },
        { url: `http://db/x?${more.trim().replaceAll(/\s/g, '')}&sig=s3cr3t ${more}` },
        { url: `https://db/hooks/s3cr3t ${more}` },
        { headers: { 'X-Env': secret } },
        { environment_variables: { ANY: secret } },
        { slack_webhook: [secret] },
      ][shape];
      const text = stringify({ a: [value], b: 'stays' }, { defaultStringType, lineWidth: 20 });
      const shown = maskSecrets(text);
      assert.doesNotMatch(shown, /s3cr3t/);
      assert.match(shown, /stays/);
      assert.equal(shown.split('\n').length, text.split('\n').length);
    }),
    { numRuns: 500 },
  );
});
