import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CallRecord } from '../../src/call/call-record.ts';
import { archiveIndex } from '../../src/record/calls/archive-index.ts';
import { archiveUri } from '../../src/record/calls/archive-uri.ts';
import { type ChunkSums, withCall } from '../../src/record/calls/chunk-sums.ts';
import { cellsOf, columnNames } from '../../src/record/calls/columns.ts';
import { callsExperiment, planChunk } from '../../src/record/calls/plan-chunk.ts';
import { previewsOf } from '../../src/record/calls/previews.ts';
import { anyCall } from '../support/any-call.ts';

const start = Date.UTC(2026, 10, 24, 14, 48, 41) + 0.125;

const whole: CallRecord = {
  recordId: 'ab'.repeat(32),
  status: 'failure',
  callId: 'call-1',
  responseId: 'response-1',
  traceId: 'trace-1',
  sessionId: 'session-1',
  callType: 'acompletion',
  model: 'openai/gpt-4o-mini',
  modelGroup: 'gpt-4o-mini',
  provider: 'openai',
  serviceTier: 'priority',
  stream: true,
  cacheHit: false,
  times: { start, end: start + 2000.5, firstToken: start + 250.25, source: 'call' },
  tokens: { prompt: 21, completion: 8, total: 29, cacheRead: 5, cacheCreation: 6, reasoning: 3 },
  cost: { usd: 0.5, inputUsd: 0.2, outputUsd: 0.3, savedUsd: 0.25 },
  caller: {
    userId: 'user-42',
    teamId: 'team-7',
    teamAlias: 'payments',
    orgId: 'org-1',
    keyAlias: 'alias-checkout',
    endUser: 'end-user-9',
  },
  requestTags: ['prod', 'a,b'],
  parameters: {},
  retries: 2,
  error: { type: 'rate_limit', class: 'RateLimitError', code: '429', message: 'too many' },
};

const bare: CallRecord = {
  recordId: 'cd'.repeat(32),
  status: 'success',
  stream: false,
  cacheHit: false,
  times: { start, end: start, source: 'received' },
  tokens: {},
  cost: {},
  caller: {},
  requestTags: [],
  parameters: {},
};

test('a call of which everything is known has every column', () => {
  const entry = { record: whole, runId: 'run-1', sampleRate: 0.25, isTraced: true };
  const previews = { prompt: 'asked', answer: 'answered' };
  assert.deepEqual(cellsOf({ ...entry, previews }), {
    time: '2026-11-24T14:48:41.000Z',
    model: 'openai/gpt-4o-mini',
    model_group: 'gpt-4o-mini',
    provider: 'openai',
    user_id: 'user-42',
    team_id: 'team-7',
    team_alias: 'payments',
    key_alias: 'alias-checkout',
    org_id: 'org-1',
    end_user: 'end-user-9',
    status: 'failure',
    error_type: 'rate_limit',
    error_class: 'RateLimitError',
    call_type: 'acompletion',
    stream: true,
    latency_ms: 2000.5,
    time_to_first_token_ms: 250.25,
    prompt_tokens: 21,
    completion_tokens: 8,
    total_tokens: 29,
    cache_read_input_tokens: 5,
    cache_creation_input_tokens: 6,
    reasoning_tokens: 3,
    cost_usd: 0.5,
    input_cost_usd: 0.2,
    output_cost_usd: 0.3,
    saved_cost_usd: 0.25,
    cache_hit: false,
    service_tier: 'priority',
    retries: 2,
    request_id: 'call-1',
    response_id: 'response-1',
    session_id: 'session-1',
    litellm_trace_id: 'trace-1',
    run_id: 'run-1',
    trace_id: 'ab'.repeat(16),
    record_id: 'ab'.repeat(32),
    sample_rate: 0.25,
    request_tags: ['prod', 'a,b'],
    prompt_preview: 'asked',
    answer_preview: 'answered',
  });
});

test('what is not known of a call is null, and no zero', () => {
  const cells = Object.entries(cellsOf({ record: bare, isTraced: false }));
  const known = cells.filter(([, cell]) => cell !== null);
  assert.deepEqual(Object.fromEntries(known), {
    time: '2026-11-24T14:48:41.000Z',
    status: 'success',
    stream: false,
    cache_hit: false,
    record_id: 'cd'.repeat(32),
    request_tags: [],
  });
  assert.equal(cells.length, columnNames(true).length);
});

test('any call has a cell in every column, and nothing else', () => {
  fc.assert(
    fc.property(anyCall, (record) => {
      const names = Object.keys(cellsOf({ record, isTraced: true }));
      assert.deepEqual(names, columnNames(true));
    }),
  );
});

test('sums are of what is known, and absent where nothing is', () => {
  const none: ChunkSums = { calls: 0, failures: 0 };
  assert.deepEqual(withCall(none, bare), { calls: 1, failures: 0 });
  assert.deepEqual([whole, bare, whole].reduce(withCall, none), {
    ...{ calls: 3, failures: 2 },
    ...{ totalTokens: 58, costUsd: 1 },
  });
});

const chunk = {
  ...{ chunkId: 'j-7', journalId: 'j', bytes: 1_000, sums: { calls: 3, failures: 1 } },
  beganAt: Date.UTC(2026, 10, 24, 13, 5, 10),
  endedAt: Date.UTC(2026, 10, 24, 13, 20, 9),
};

test('the run of a chunk is named after its time, with two dates where midnight lies between', () => {
  assert.equal(planChunk(chunk).name, 'calls 2026-11-24 13:05 – 13:20');
  const endedAt = Date.UTC(2026, 10, 25, 0, 1);
  const name = planChunk({ ...chunk, endedAt }).name;
  assert.equal(name, 'calls 2026-11-24 13:05 – 2026-11-25 00:01');
});

test('metrics of a chunk of which no cost is known have none', () => {
  const { metrics } = planChunk(chunk);
  assert.deepEqual(Object.fromEntries(metrics), { calls: 3, failures: 1, bytes: 1_000 });
});

test('the note says where the whole calls are', () => {
  const note = (archiveUri?: string) =>
    planChunk({ ...chunk, ...(archiveUri !== undefined && { archiveUri }) }).tags.get(
      'mlflow.note.content',
    );
  assert.match(note() ?? '', /- `calls\.jsonl\.gz`: the whole calls/);
  assert.match(note('s3://b/c.jsonl.gz') ?? '', /- `s3:\/\/b\/c\.jsonl\.gz`: the whole calls/);
});

test('an archive has a partition an hour, in UTC', () => {
  const at = Date.UTC(2026, 10, 24, 3, 59, 59);
  const place = 'dt=2026-11-24/hour=03/j-7.jsonl.gz';
  assert.equal(archiveUri('s3://lake', 'j-7', at), `s3://lake/${place}`);
  assert.equal(archiveUri('s3://lake/a/b//', 'j-7', at), `s3://lake/a/b/${place}`);
});

test('the index of an archive in several files counts offsets in each', () => {
  const members = [0, 10, 25].map((offset, index) => ({
    ...{ offset, length: [10, 15, 5][index] ?? 0, ids: [`id-${index}`] },
  }));
  const pieces = [
    { file: 'one', from: 0, to: 1 },
    { file: 'two', from: 1, to: 3 },
  ];
  assert.deepEqual(JSON.parse(archiveIndex(members, pieces)), [
    { file: 'one', offset: 0, length: 10, ids: ['id-0'] },
    { file: 'two', offset: 0, length: 15, ids: ['id-1'] },
    { file: 'two', offset: 15, length: 5, ids: ['id-2'] },
  ]);
});

test('the experiment of the chunks stands beside that of the calls', () => {
  for (const [template, name] of [
    ['/litellm-monitoring', '/litellm-monitoring/calls'],
    ['/litellm/{team_id}', '/litellm/calls'],
    ['{team_id}', 'calls'],
  ] as const) {
    assert.equal(callsExperiment(template), name);
  }
});

const user = { role: 'user', content: 'what now?' };
for (const [what, request, response, previews] of [
  [
    'a chat',
    { messages: [{ role: 'system', content: 'be kind' }, user, { role: 'tool', content: '42' }] },
    { choices: [{ message: { role: 'assistant', content: ' this\n now ' } }] },
    { prompt: 'what now?', answer: 'this now' },
  ],
  [
    'a chat with pictures',
    {
      messages: [
        { role: 'user', content: [{ type: 'image_url' }, { type: 'text', text: 'what is it?' }] },
      ],
    },
    { choices: [{ message: { content: null, tool_calls: [] } }] },
    { prompt: 'what is it?' },
  ],
  [
    'a completion',
    { messages: 'once' },
    { choices: [{ text: 'upon' }] },
    { prompt: 'once', answer: 'upon' },
  ],
  [
    "OpenAI's responses",
    { messages: [user] },
    { output: [{ type: 'message', content: [{ type: 'output_text', text: 'this' }] }] },
    { prompt: 'what now?', answer: 'this' },
  ],
  [
    "Anthropic's messages",
    { messages: [user] },
    { content: [{ type: 'text', text: 'this' }] },
    { prompt: 'what now?', answer: 'this' },
  ],
  ['an embedding', { messages: ['a', 'b'] }, { data: [{ embedding: [1] }] }, { prompt: 'b' }],
  ['a failure', { messages: [user] }, {}, { prompt: 'what now?' }],
  ['nothing', {}, null, {}],
] as const) {
  test(`the preview of ${what} is what was asked last and what was answered`, () => {
    const body = Buffer.from(JSON.stringify({ request, response, context: {} }));
    assert.deepEqual(previewsOf(body), previews);
  });
}

test('a preview has 300 characters at most, whole ones all, and none where there is no JSON', () => {
  const body = { request: { messages: [{ role: 'user', content: `x${'😀'.repeat(400)}` }] } };
  const { prompt } = previewsOf(Buffer.from(JSON.stringify(body)));
  assert.equal(prompt, `x${'😀'.repeat(149)}`);
  assert.deepEqual(previewsOf(Buffer.from('{')), {});
});
