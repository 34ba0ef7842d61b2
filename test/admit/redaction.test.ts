import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { createAdmission } from '../../src/admit/admit-call.ts';
import { createKeyedHash } from '../../src/admit/keyed-hash.ts';
import type { FieldAction } from '../../src/admit/redaction-options.ts';
import { parseJson } from '../../src/call/parse-json.ts';
import { planRun } from '../../src/record/plan-run.ts';
import { litellmEvent } from '../support/litellm-event.ts';
import { fixtureEvents } from '../support/litellm-fixture.ts';
import { admitUnder, bodyUnder, hashKey, redaction } from '../support/redaction.ts';

const hash = createKeyedHash(hashKey);
const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
const failure = {
  status: 'failure',
  error_str: 'no: my question',
  error_information: {
    error_class: 'RateLimitError',
    error_code: '429',
    error_message: 'no: my question',
    traceback: 'raise my question',
  },
  model_parameters: {
    temperature: 0.5,
    stream: true,
    tool_choice: 'auto',
    instructions: 'my system prompt',
    stop: ['x'],
  },
};

test('a dropped body leaves numbers, names and kinds, and no text that may quote it', () => {
  const { record, body } = admitUnder({ bodies: 'drop' }, failure);
  assert.equal(body, undefined);
  assert.equal(record.body, 'dropped');
  assert.deepEqual(record.parameters, { temperature: '0.5', stream: 'true', tool_choice: 'auto' });
  assert.deepEqual(record.error, { type: 'rate_limit', class: 'RateLimitError', code: '429' });
  assert.equal(record.tokens.prompt, 21);
  assert.equal(planRun(record).tags.get('sidecar.body'), 'dropped');
});

test('a hashed body joins equal messages and answers of different calls, and nothing else is in it', () => {
  const message = { role: 'system', content: 'be kind' };
  const of = (content: string, id: string) =>
    bodyUnder(
      { bodies: 'hash' },
      {
        messages: [message, { content }],
        response: { id, choices: [{ message: { content: 'yes' } }] },
      },
    );
  const [one, other] = [of('a', 'r1'), of('b', 'r2')];
  assert.deepEqual(one, {
    request: {
      messages: [
        { redacted: 'hash', hmac: hash(message) },
        { redacted: 'hash', hmac: hash({ content: 'a' }) },
      ],
    },
    response: [{ redacted: 'hash', hmac: hash({ content: 'yes' }) }],
  });
  assert.deepEqual(other['response'], one['response']);
});

test('the first rule that matches decides, and a rule wants all of its conditions', () => {
  const rules = [
    { team: 'payments', requestTag: 'public', bodies: 'keep' },
    { team: 'team-7', bodies: 'drop' },
    { keyAlias: 'alias-a', bodies: 'hash' },
    { modelGroup: 'gpt-4o-mini', bodies: 'drop' },
  ] as const;
  const under = (event: object) => admitUnder({ rules }, { ...event }).record.body;
  assert.equal(under({ request_tags: ['public'] }), undefined);
  assert.equal(under({ request_tags: ['other'] }), 'dropped', 'by the team of its id');
  assert.equal(under({ metadata: { user_api_key_alias: 'alias-a' } }), 'hashed');
  assert.equal(under({ metadata: {} }), 'dropped', 'by the model group');
  assert.equal(under({ metadata: {}, model_group: 'other' }), undefined, 'by default');
});

function underField(path: string[], action: FieldAction, event: Record<string, unknown>) {
  const { record, body } = admitUnder({ fields: [{ path, action }] }, event);
  return { record, body: JSON.parse(body?.toString('utf8') ?? '') };
}

test('a field is dropped, masked or hashed by its path, in lists and in members of any name', () => {
  const messages = [
    { role: 'user', content: 'a' },
    { role: 'user', content: [{ text: 'b' }] },
  ];
  const path = ['request', 'messages', '[]', 'content'];
  const of = (action: FieldAction) => underField(path, action, { messages }).body.request.messages;
  assert.deepEqual(of('drop'), [{ role: 'user' }, { role: 'user' }]);
  assert.deepEqual(of('mask'), [
    { role: 'user', content: '***' },
    { role: 'user', content: '***' },
  ]);
  assert.deepEqual(of('hash')[0], { role: 'user', content: hash('a') });
  const inside = underField(['response', '*', '[]', 'x'], 'drop', {
    response: { a: [{ x: 1, y: 2 }], b: { x: 3 } },
  });
  assert.deepEqual(inside.body.response, { a: [{ y: 2 }], b: { x: 3 } });
});

test('a field that is redacted in call.json is redacted in params and tags, where it is written twice too', () => {
  const event = {
    end_user: 'eve',
    metadata: { user_api_key_end_user_id: 'eve', user_api_key_alias: 'k' },
  };
  const { record, body } = underField(['context', 'end_user'], 'hash', event);
  assert.equal(record.caller.endUser, hash('eve'));
  assert.ok(!JSON.stringify(body).includes('"eve"'));
  const message = underField(['context', 'error_information', 'error_message'], 'drop', failure);
  assert.equal(message.record.error?.message, undefined);
  assert.equal(message.record.error?.type, 'rate_limit', 'its kind is known all the same');
  assert.ok(!JSON.stringify(message.body).includes('no: my question'));
});

test('people become the same hash in the record, in tags and in call.json', () => {
  const event = {
    end_user: 'eve',
    metadata: {
      user_api_key_user_id: 'ada',
      user_api_key_user_email: 'ada@example.com',
      requester_metadata: { 'of ada': 'for ada@example.com, not adamant' },
    },
    model_parameters: { user: 'eve' },
  };
  const { record, body } = admitUnder({ identities: 'hash' }, event);
  const written = body?.toString('utf8') ?? '';
  const tags = planRun(record).tags;
  assert.equal(tags.get('user_id'), hash('ada'));
  assert.equal(tags.get('mlflow.user'), hash('ada'));
  assert.equal(tags.get('end_user'), hash('eve'));
  assert.equal(record.parameters['user'], hash('eve'));
  assert.ok(written.includes(hash('ada@example.com')) && written.includes(hash('ada')));
  assert.ok(written.includes('not adamant'), 'a word that begins like a name stays');
  assert.doesNotMatch(written, /"ada"|ada@|of ada"|"eve"/);
});

test('a person that is a number is hashed, and equal numbers elsewhere are not', () => {
  const { record, body } = admitUnder(
    { identities: 'hash' },
    { metadata: { user_api_key_user_id: 21 } },
  );
  assert.equal(record.caller.userId, hash('21'));
  assert.equal(JSON.parse(body?.toString('utf8') ?? '').context.prompt_tokens, 21);
});

test('names of members are texts too, and names that become the same hide nothing', () => {
  const metadata = { requester_metadata: { 'a@b.com': 1, 'c@d.com': 2, '[e-mail]_2': 3 } };
  const { context } = bodyUnder({ patterns: ['e-mail'] }, { metadata });
  assert.deepEqual(
    Object.values(Object(context?.['metadata']).requester_metadata).sort(),
    [1, 2, 3],
  );
  assert.doesNotMatch(JSON.stringify(context), /@/);
});

test('a card that came as a number is found, other numbers stay numbers', () => {
  const { response } = bodyUnder(
    { patterns: ['card-numbers'] },
    { response: { a: 4_111_111_111_111_111, b: 1_795_531_714_123, c: 0.5 } },
  );
  assert.deepEqual(response, { a: '[card]', b: 1_795_531_714_123, c: 0.5 });
});

test('audio, images and vectors become stubs with size and hash', () => {
  const bytes = Buffer.from('not really a sound');
  const base64 = bytes.toString('base64');
  const stub = { redacted: 'base64', bytes: bytes.length, sha256: sha256(bytes) };
  const vector = Array.from({ length: 65 }, (_, index) => index / 7);
  const { request, response } = bodyUnder(
    {},
    {
      messages: [
        {
          content: [
            { input_audio: { data: base64, format: 'wav' } },
            { image_url: { url: `data:image/png;base64,${base64}` } },
            { text: `see data:image/png;base64,${base64} there` },
            { source: { type: 'base64', data: base64 } },
          ],
        },
      ],
      response: {
        data: [
          { b64_json: base64 },
          { embedding: vector },
          { embedding: [1, 2, 3] },
          { data: 'a text' },
        ],
      },
    },
  );
  assert.deepEqual(request?.['messages'], [
    {
      content: [
        { input_audio: { data: stub, format: 'wav' } },
        { image_url: { url: stub } },
        { text: `see [base64 of ${bytes.length} bytes, sha256 ${sha256(bytes)}] there` },
        { source: { type: 'base64', data: stub } },
      ],
    },
  ]);
  assert.deepEqual(response?.['data'], [
    { b64_json: stub },
    { embedding: { redacted: 'embedding', length: 65, sha256: sha256(JSON.stringify(vector)) } },
    { embedding: [1, 2, 3] },
    { data: 'a text' },
  ]);
});

test('payloads stay where they are wanted', () => {
  const response = {
    data: [{ b64_json: 'AAAA', embedding: Array.from({ length: 100 }, () => 0.5) }],
  };
  assert.deepEqual(bodyUnder({ keepBinary: true }, { response }).response, response);
});

test('what LiteLLM itself has cut stays as it says', () => {
  const url = 'data:image/png;base64,[base64_data truncated: 2.8KB]';
  assert.deepEqual(bodyUnder({}, { messages: [{ url }] }).request?.['messages'], [{ url }]);
});

const everything = redaction({
  patterns: ['e-mail', 'credentials', 'aws-keys', 'bearer-tokens', 'card-numbers', 'ip-addresses'],
  customPatterns: [{ name: 'own', regex: 'success|[0-9]', replacement: 'x' }],
  fields: [{ path: ['context', '*'], action: 'drop' }],
  identities: 'hash',
});

test('no settings change the identity, the numbers or the kinds of the calls that LiteLLM posts', () => {
  for (const file of [
    'chat_success.json',
    'error_401.json',
    'embeddings.json',
    'retry_then_success.json',
  ]) {
    for (const event of fixtureEvents(file)) {
      const plain = createAdmission(redaction({})).admit(event, 1).record;
      const { record } = createAdmission(everything).admit(event, 1);
      const of = ({
        recordId,
        status,
        times,
        tokens,
        cost,
        cacheHit,
        stream,
        error,
      }: typeof plain) => ({
        recordId,
        status,
        times,
        tokens,
        cost,
        cacheHit,
        stream,
        type: error?.type,
      });
      assert.deepEqual(of(record), of(plain));
    }
  }
});

test('whatever JSON is asked and answered, without redaction it is kept as it is', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (messages, response) => {
      const body = bodyUnder({}, { messages, response });
      const kept = parseJson(JSON.stringify([messages, response]));
      assert.deepEqual([body.request?.['messages'], body.response], kept);
    }),
  );
});

test('whatever stands around it and however deep, an address is found in each text and name', () => {
  const address = 'find.me@example.com';
  const text = fc.tuple(fc.string(), fc.string()).map(([a, b]) => `${a} ${address} ${b}`);
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      text,
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(text, tie('tree'), { maxKeys: 3 }),
    ),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      const { record, body } = admitUnder(
        { patterns: ['e-mail'] },
        {
          messages: value,
          response: value,
          metadata: { x: value },
          model_parameters: { value },
          error_str: value,
          request_tags: [value],
          end_user: value,
          'an added one': value,
        },
      );
      assert.ok(!(JSON.stringify(record) + body?.toString('utf8')).includes(address));
    }),
  );
});

test('a payload that is nested beyond the stack is refused, not passed', () => {
  let deep: unknown = 'x';
  for (let level = 0; level < 100_000; level += 1) deep = [deep];
  assert.throws(
    () => createAdmission(everything).admit(litellmEvent(1, { messages: deep }), 1),
    RangeError,
  );
});
