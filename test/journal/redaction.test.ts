import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { RedactionOptions } from '../../src/admit/redaction-options.ts';
import { openJournal } from '../../src/journal/journal-client.ts';
import { bodyOf, litellmEvent } from '../support/litellm-event.ts';
import { redaction } from '../support/redaction.ts';
import { tempFolder } from '../support/temp-folder.ts';

const now = 1_800_000_000_000;

/** What is planted, in every place where an event can hold it. */
const plants = {
  prompt: 'What killed the tsar of Bulgaria',
  answer: 'He was poisoned by his tailor',
  'e-mail': 'boris.planted@tsardom.example.org',
  'card-numbers': '4539 1488 0343 6467',
  'ip-addresses': '203.0.113.77',
  'aws-keys': 'AKIAPLANTEDPLANTED12',
  'bearer-tokens': 'Bearer planted-token-0123456789',
  credentials: 'sk-planted0123456789abcdef',
  ticket: 'TSAR-19430828',
  person: 'planted-person-7',
  personMail: 'planted.person@tsardom.example.org',
  endUser: 'planted-end-user-9',
  token: 'planted-header-secret-1',
  audio: Buffer.from('planted audio '.repeat(20)).toString('base64'),
};

type Plant = keyof typeof plants;

/** Free texts that a person wrote, all of them in one. */
const said = [
  plants.prompt,
  plants.answer,
  plants['e-mail'],
  plants['card-numbers'],
  plants['ip-addresses'],
  plants['aws-keys'],
  plants['bearer-tokens'],
  plants.credentials,
  plants.ticket,
].join(' ; ');

const headers = {
  'x-amz-security-token': plants.token,
  cookie: plants.token,
  authorization: `Bearer ${plants.token}`,
  'x-litellm-end-user-id': plants.endUser,
};

const planted = {
  end_user: plants.endUser,
  requester_ip_address: plants['ip-addresses'],
  request_tags: ['internal', `from ${plants['e-mail']} ${plants.ticket}`],
  metadata: {
    user_api_key_user_id: plants.person,
    user_api_key_user_email: plants.personMail,
    user_api_key_end_user_id: plants.endUser,
    user_api_key_team_id: 'team-7',
    user_api_key_team_alias: 'payments',
    requester_ip_address: plants['ip-addresses'],
    requester_custom_headers: headers,
    requester_metadata: { headers, note: said, [plants['e-mail']]: { [plants.ticket]: said } },
    spend_logs_metadata: { of: `${plants.person}:${plants.personMail}` },
    usage_object: {},
  },
  hidden_params: { additional_headers: headers },
  messages: [
    { role: 'system', content: said },
    {
      role: 'user',
      content: [
        { type: 'text', text: said },
        { type: 'input_audio', input_audio: { data: plants.audio, format: 'wav' } },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${plants.audio}` } },
      ],
    },
  ],
  response: {
    choices: [
      { message: { role: 'assistant', content: said, audio: { data: plants.audio } } },
      { message: { content: null, tool_calls: [{ function: { arguments: `{"a":"${said}"}` } }] } },
    ],
    data: [{ b64_json: plants.audio }],
  },
  model_parameters: {
    user: plants.endUser,
    stop: [said],
    instructions: said,
    extra_headers: headers,
  },
};

const error = `rejected for ${plants.person}: ${said}`;
const failed = {
  ...planted,
  status: 'failure',
  error_str: `${error} again`,
  error_information: {
    error_class: 'BadRequestError',
    error_message: error,
    traceback: `…\n${error}`,
  },
};

/** A batch of a good call, a failed one, one within bad JSON, and things that are no calls. */
function plantedBody(): Uint8Array<ArrayBuffer> {
  const calls = Buffer.from(bodyOf(litellmEvent(1, planted), litellmEvent(2, failed)));
  const broken = JSON.stringify(litellmEvent(3, failed)).replace('"response":', '"response" ');
  const others = `null, 7, ${JSON.stringify(said)}, ${JSON.stringify({ said })}, ${broken}]`;
  return new Uint8Array(Buffer.from(`${calls.toString('utf8').slice(0, -1)}, ${others}`));
}

/** Puts the plants through a journal and gives back all bytes that it wrote, also before its end. */
async function writtenUnder(t: TestContext, redact: RedactionOptions): Promise<string> {
  const folder = tempFolder(t);
  const options = {
    folder,
    maxBytes: 100_000_000,
    retainMs: 3_600_000,
    dedupeEntries: 10_000,
    dedupeMs: 86_400_000,
    experiment: '/e/{team_alias}/{key_alias}',
    redact,
  };
  const files = () =>
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => readFileSync(join(folder, name)).toString('latin1'))
      .join('\n');
  const journal = await openJournal(options, () => assert.fail('the thread ended'));
  const receipt = await journal.append(plantedBody(), now);
  assert.equal(receipt.accepted, 2);
  assert.equal(receipt.rejected.length, 5);
  assert.equal((await journal.append(plantedBody(), now)).duplicates, 2, 'a repeat is known');
  const whileOpen = files();
  await journal.close();
  return whileOpen + files();
}

const texts = ['prompt', 'answer'] as const;
const forms = [
  'e-mail',
  'card-numbers',
  'ip-addresses',
  'aws-keys',
  'bearer-tokens',
  'credentials',
] as const;
const people = ['person', 'personMail', 'endUser'] as const;
const ticket = { name: 'ticket', regex: 'TSAR-[0-9]{8}', replacement: '[ticket]' };

const settings: readonly (readonly [
  title: string,
  redact: Partial<RedactionOptions>,
  forbidden: readonly Plant[],
])[] = [
  ['what always is redacted', {}, ['token', 'audio']],
  [
    'all patterns',
    { patterns: forms, customPatterns: [ticket] },
    [...forms, 'ticket', 'personMail'],
  ],
  ['identities hashed', { identities: 'hash' }, people],
  [
    'bodies dropped, with identities hashed',
    { bodies: 'drop', identities: 'hash' },
    [...texts, ...people],
  ],
  ['bodies hashed', { bodies: 'hash' }, texts],
  ['bodies dropped by a rule', { rules: [{ team: 'payments', bodies: 'drop' }] }, texts],
  [
    'fields dropped, masked and hashed',
    {
      fields: [
        { path: ['request', 'messages', '[]', 'content'], action: 'mask' },
        { path: ['response'], action: 'drop' },
        { path: ['request', 'model_parameters'], action: 'drop' },
        { path: ['context', 'metadata', '*'], action: 'hash' },
        { path: ['context', 'error_information', '*'], action: 'drop' },
        { path: ['context', 'error_str'], action: 'drop' },
        { path: ['context', 'request_tags', '[]'], action: 'mask' },
        { path: ['context', 'end_user'], action: 'drop' },
        {
          path: ['context', 'hidden_params', 'additional_headers', 'x-litellm-end-user-id'],
          action: 'mask',
        },
        { path: ['context', 'requester_ip_address'], action: 'hash' },
      ],
    },
    [...texts, ...forms.filter((name) => name !== 'bearer-tokens'), 'ticket', ...people],
  ],
  [
    'an external redactor that cannot be reached',
    { url: 'http://127.0.0.1:1/', identities: 'hash' },
    [...texts, ...forms.filter((name) => name !== 'ip-addresses'), 'ticket', ...people],
  ],
  [
    'everything at once',
    { bodies: 'hash', patterns: forms, customPatterns: [ticket], identities: 'hash' },
    [...texts, ...forms, 'ticket', ...people],
  ],
];

for (const [title, redact, forbidden] of settings) {
  test(`under ${title}, nothing that is forbidden is among the bytes of the journal`, async (t) => {
    const written = await writtenUnder(t, redaction(redact));
    assert.ok(written.includes('call-2'), 'the calls themselves are there');
    for (const name of new Set<Plant>([...forbidden, 'token', 'audio'])) {
      const at = written.indexOf(plants[name]);
      assert.equal(at, -1, `${name}: ${written.slice(Math.max(0, at - 200), at + 60)}`);
    }
  });
}

test('without redaction prompts, people and broken bytes are there: the search would find them', async (t) => {
  const written = await writtenUnder(t, redaction({ keepBinary: true }));
  const found = [...texts, ...people, 'audio', 'ticket', 'e-mail', 'card-numbers'] as const;
  for (const name of found) assert.ok(written.includes(plants[name]), name);
});
