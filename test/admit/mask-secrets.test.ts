import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maskBroken, maskPayload, maskText } from '../../src/admit/mask-secrets.ts';
import { admitCall } from '../support/admitted-call.ts';
import { litellmEvent } from '../support/litellm-event.ts';
import { fixtureEvents } from '../support/litellm-fixture.ts';

const secret = 'hunter2-is-not-a-good-one';

/** All that goes to disk of a call. */
function kept(changes: Record<string, unknown>): string {
  const { record, body } = admitCall(litellmEvent(1, changes), 1);
  return JSON.stringify(record) + body.toString('utf8');
}

const headers = [
  'x-amz-security-token',
  'authorization',
  'Proxy-Authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'api-key',
  'X-Goog-Api-Key',
  'x-auth-key',
  'x-auth-token',
  'ocp-apim-subscription-key',
  'x-litellm-key',
  'x-secret-key',
  'x-auth',
  'cookies',
  'api-keys',
  'passphrase',
  'pwd',
  'cookie ',
  ' x-amz-security-token\t',
];

for (const header of headers) {
  test(`the header ${header} that LiteLLM echoes is masked wherever it stands`, () => {
    const written = kept({
      metadata: {
        requester_metadata: { headers: { [header]: secret } },
        requester_custom_headers: { [header]: secret, 'x-custom': 'stays' },
      },
      hidden_params: { additional_headers: { [`llm_provider-${header}`]: secret } },
    });
    assert.ok(!written.includes(secret));
    assert.ok(written.includes('stays'));
  });
}

test('a secret-sounding member beside request and response is masked, whoever put it there', () => {
  const written = kept(Object.fromEntries(headers.map((name) => [name, secret])));
  assert.ok(!written.includes(secret), written);
});

const hiddenInMetadata: readonly (readonly [what: string, metadata: object])[] = [
  [
    'pairs',
    {
      raw_headers: [
        ['Authorization', secret],
        ['cookie', { a: secret }],
      ],
    },
  ],
  [
    'named values',
    {
      headers: [
        { name: 'cookie', value: secret },
        { key: 'api-key', value: [secret] },
      ],
    },
  ],
  [
    'JSON in a text',
    { headers: JSON.stringify({ 'set-cookie': secret, a: [{ 'x-auth': secret }] }) },
  ],
  ['JSON in JSON', { note: JSON.stringify(JSON.stringify({ Authorization: `Token ${secret}` })) }],
  ['keys', { requester_metadata: { headers: { 'x-openai-key': `sk-${secret}` } } }],
  ['longer keys', { requester_metadata: { note: `use sk-${secret}` } }],
  ['bearer tokens', { requester_metadata: { 'x-forwarded': `Bearer ${secret}` } }],
  ['credentials in URLs', { headers: { referer: `https://ada:${secret}@h/?token=${secret}` } }],
  [
    'JSON web tokens',
    { headers: { 'x-amzn-oidc-data': `eyJhbGciOiJIUzI1NiJ9.${secret}.c2ln`, 'cf-jwt': secret } },
  ],
  ['numbers', { password: 123_454_321, nested: [{ api_key: 123_454_321 }] }],
];

for (const [what, metadata] of hiddenInMetadata) {
  test(`in metadata secrets are masked as ${what}`, () => {
    const written = kept({ metadata });
    assert.ok(!written.includes(secret) && !written.includes('123454321'), written);
  });
}

const parameters = [
  'api_key',
  'apiKey',
  'aws_secret_access_key',
  'aws_access_key_id',
  'aws_session_token',
  'azure_ad_token',
  'vertex_credentials',
  'azure_password',
  'client_secret',
  'private_key',
];

for (const name of parameters) {
  test(`the parameter ${name} is masked, also deep inside and as an object`, () => {
    const written = kept({
      model_parameters: {
        [name]: secret,
        extra_body: { nested: [{ [name]: { json: secret } }] },
        temperature: 0.25,
      },
    });
    assert.ok(!written.includes(secret));
    assert.ok(written.includes('0.25'));
  });
}

const quotedSecrets: readonly (readonly [what: string, text: string, secret: string])[] = [
  [
    'a key of the provider',
    'Incorrect API key provided: sk-proj-a1B2c3D4e5. Find it at …',
    'a1B2c3D4e5',
  ],
  ['a short key', 'Incorrect API key provided: sk-fake. You can find …', 'sk-fake'],
  ['a bearer token', 'headers: {"Authorization": "Bearer abc.def-123/456="}', 'abc.def-123'],
  ['basic credentials', 'curl -H "Authorization: Basic dXNlcjpodW50ZXIy"', 'dXNlcjpodW50ZXIy'],
  ['an AWS key', 'The key AKIAIOSFODNN7EXAMPLE is not valid', 'IOSFODNN7EXAMPLE'],
  ['a signed URL', 'GET https://b/o?X-Amz-Credential=C0/2026&X-Amz-Signature=f00ba4&x=1', 'f00ba4'],
  [
    'a JSON web token',
    'token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl is bad',
    'c2lnbmF0dXJl',
  ],
  ['a GitHub token', 'using ghp_16C7e42F292c6912E7710c838347Ae178B4a', '16C7e42F292c'],
  ['a named password', "password='correct horse'", 'correct'],
  [
    'a key in a URL',
    'https://host/v1beta/models/m:generate?key=AIzaSyD-9tSrke72&alt=sse',
    'AIzaSyD-9tSrke72',
  ],
  ['credentials in a URL', 'no route to https://ada:lovelace99@host/v1', 'lovelace99'],
];

for (const [what, text, quoted] of quotedSecrets) {
  test(`${what} in what an error says is masked, and the rest stays`, () => {
    const written = kept({
      status: 'failure',
      error_str: text,
      error_information: { error_message: text, traceback: `Traceback …\n${text}\nend` },
    });
    assert.ok(!written.includes(quoted), written);
    assert.ok(written.includes('Traceback …'));
    assert.notEqual(maskText(text), text);
  });
}

test('a key in the address of the provider is masked', () => {
  const api_base = `https://ada:${secret}@host/v1?key=${secret}&alt=sse`;
  const written = kept({ api_base, hidden_params: { api_base } });
  assert.ok(!written.includes(secret));
  assert.ok(written.includes('host/v1?key=') && written.includes('alt=sse'));
});

test('prompts and answers are not looked into', () => {
  const text = 'My api_key: sk-1234567890, Bearer abcdefghijkl, password=swordfish';
  const { body } = admitCall(
    litellmEvent(1, { messages: [{ content: text }], response: { token: text } }),
    1,
  );
  const { request, response } = JSON.parse(body.toString('utf8'));
  assert.deepEqual([request.messages, response], [[{ content: text }], { token: text }]);
});

test('names that only sound like secrets keep their values', () => {
  const metadata = {
    user_api_key_hash: '24338abe224faf36b0394c76c4a2b778f9fb61597425b519a224afe12a8e10c1',
    user_api_key_alias: 'alias-checkout',
    user_api_key_user_id: 'user-42',
    user_api_key_team_id: 'team-7',
    user_api_key_spend: 1.25,
    user_api_key_max_budget: 100,
    used_client_oauth_token: false,
    cold_storage_object_key: 'a/b',
    usage_object: { prompt_tokens: 3, completion_tokens: 4, cached_tokens: 2 },
    user_api_key_org_alias: 'sk-a-name-that-looks-like-a-key',
    requester_metadata: {
      project: 'sk-learn',
      record: 'pk-00012345',
      required: ['token', 'id'],
      tools: [{ name: 'get_token', type: 'function' }],
      'accept-language': 'sk-SK,sk;q=0.9',
      note: 'Cookie: flour, eggs; tokens: 1234567',
      total_tokens: '99',
      prompt_token: 1234,
    },
  };
  const model_parameters = { max_tokens: 7, max_completion_tokens: 8, n: 1, stream: false };
  const hidden_params = {
    cache_key: 'cafe',
    additional_headers: { 'x-ratelimit-remaining-tokens': '99', 'x-request-id': 'req-1' },
  };
  const given = { metadata, model_parameters, hidden_params };
  const { record, body } = admitCall(litellmEvent(1, given), 1);
  const { request, context } = JSON.parse(body.toString('utf8'));
  assert.deepEqual(
    { ...context, model_parameters: request.model_parameters },
    { ...context, ...given },
  );
  assert.equal(record.caller.keyAlias, 'alias-checkout');
});

test('nothing but the key is masked in the calls that LiteLLM really posts', () => {
  for (const file of ['chat_success.json', 'chat_headers_tags.json', 'error_401.json']) {
    const [event = {}] = fixtureEvents(file);
    const { body } = admitCall(event, 1);
    const masks = body.toString('utf8').match(/\*\*\*/g)?.length ?? 0;
    assert.equal(masks, file === 'error_401.json' ? 1 : 0, file);
  }
});

test('what could not be read is kept with its secrets masked', () => {
  const broken = `{"id": "x", "cookies": ["${secret}", "${secret}"], "body": "{\\"password\\": \\"${secret}\\"}", "headers": {"authorization": "Bearer ${secret}", "Cookie":"a=${secret}",
    "x-amz-security-token" : "${secret}\\"${secret}", "aws_secret_access_key": "${secret}"},
    "error": "key sk-${secret}", "messages": ["my question"], "unclosed_token": "${secret}`;
  const written = maskBroken(Buffer.from(broken)).toString('utf8');
  assert.ok(!written.includes(secret), written);
  assert.ok(written.includes('"messages": ["my question"]'));
});

test('bytes that are no text are kept as far as text goes', () => {
  assert.equal(maskBroken(Buffer.from([0x61, 0xff, 0x62])).toString('utf8'), 'a\ufffdb');
});

test('keys of providers that have a form of their own are masked, in errors and parameters', () => {
  for (const key of [
    'AIzaSyA1234567890abcdefghij',
    'gsk_1234567890abcdefghij',
    'hf_1234567890abcdefghij',
    'glpat-1234567890abcdefghij',
  ]) {
    const masked = JSON.stringify(
      maskPayload({
        error_information: { error_message: `bad key ${key}` },
        model_parameters: { extra_body: `api_key=${key}` },
      }),
    );
    assert.ok(!masked.includes('1234567890'), masked);
  }
});

test('members that no LiteLLM of today posts are masked by their names as well', () => {
  const payload = { proxy_server_request: { headers: { authorization: 'Bearer abc', host: 'h' } } };
  assert.deepEqual(maskPayload(payload), {
    proxy_server_request: { headers: { authorization: '***', host: 'h' } },
  });
});

test('what was asked and answered is not looked into', () => {
  const said = { messages: [{ token: 'sk-12345678' }], response: { secret: 'x' } };
  assert.deepEqual(maskPayload(said), said);
});

test('a list of secrets in broken JSON is masked too', () => {
  const kept = maskBroken(Buffer.from('{"token": ["abcdefgh"], "a": }')).toString();
  assert.ok(!kept.includes('abcdefgh'), kept);
});
