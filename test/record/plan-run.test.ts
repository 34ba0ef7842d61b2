import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallRecord } from '../../src/call/call-record.ts';
import { parseCall } from '../../src/call/parse-call.ts';
import { planRun } from '../../src/record/plan-run.ts';
import { fixtureBody } from '../support/litellm-fixture.ts';
import { readAll } from '../support/read-all.ts';

const start = Date.UTC(2026, 10, 24, 14, 48, 41) + 0.125;

/** A call of which everything is known. */
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
  apiBase: 'http://provider/v1',
  stream: true,
  cacheHit: false,
  times: { start, end: start + 2000.5, firstToken: start + 250.25, source: 'call' },
  tokens: { prompt: 21, completion: 8, total: 29, cacheRead: 5, cacheCreation: 6, reasoning: 3 },
  cost: { usd: 0.001_234_5, savedUsd: 0.25 },
  caller: {
    userId: 'user-42',
    teamId: 'team-7',
    teamAlias: 'payments',
    orgId: 'org-1',
    keyAlias: 'alias-checkout',
    endUser: 'end-user-9',
  },
  requestTags: ['prod', 'team:checkout'],
  parameters: { temperature: '0.5', model: 'asked-for', api_base: 'asked-for too' },
  retries: 2,
  overheadMs: 10.5,
  error: {
    type: 'rate_limit',
    class: 'RateLimitError',
    code: '429',
    message: 'too many',
    traceback: 'Traceback',
  },
};

/** A call of which nothing is known but that it was. */
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

test('a call of which everything is known has every metric of the design', () => {
  assert.deepEqual(Object.fromEntries(planRun(whole).metrics), {
    latency_ms: 2000.5,
    time_to_first_token_ms: 250.25,
    prompt_tokens: 21,
    completion_tokens: 8,
    total_tokens: 29,
    cache_read_input_tokens: 5,
    cache_creation_input_tokens: 6,
    reasoning_tokens: 3,
    cost_usd: 0.001_234_5,
    saved_cost_usd: 0.25,
    cache_hit: 0,
    error: 1,
    retries: 2,
    litellm_overhead_ms: 10.5,
    output_tokens_per_second: 8 / 2.0005,
  });
});

test('a call of which everything is known has every tag of the design', () => {
  const { 'mlflow.note.content': note, ...tags } = Object.fromEntries(planRun(whole).tags);
  assert.ok(note);
  assert.deepEqual(tags, {
    status: 'failure',
    model: 'openai/gpt-4o-mini',
    request_id: 'call-1',
    response_id: 'response-1',
    litellm_trace_id: 'trace-1',
    session_id: 'session-1',
    call_type: 'acompletion',
    model_group: 'gpt-4o-mini',
    provider: 'openai',
    stream: 'true',
    user_id: 'user-42',
    team_id: 'team-7',
    team_alias: 'payments',
    org_id: 'org-1',
    key_alias: 'alias-checkout',
    end_user: 'end-user-9',
    cache_hit: 'false',
    request_tags: 'prod,team:checkout',
    'label.prod': 'true',
    'label.team:checkout': 'true',
    error_type: 'rate_limit',
    error_class: 'RateLimitError',
    error_code: '429',
    error_message: 'too many',
    'mlflow.user': 'user-42',
    'mlflow.source.name': 'litellm-mlflow-sidecar',
    'mlflow.source.type': 'LOCAL',
    'sidecar.record': 'call',
    'sidecar.record_id': 'ab'.repeat(32),
  });
});

test('params are the model, its endpoint and the request’s own; what collides is renamed', () => {
  assert.deepEqual(Object.fromEntries(planRun(whole).params), {
    model: 'openai/gpt-4o-mini',
    api_base: 'http://provider/v1',
    temperature: '0.5',
    'param.model': 'asked-for',
    'param.api_base': 'asked-for too',
  });
});

test('a run has the name, the times and the end of its call', () => {
  const { name, startTime, endTime, status, traceback } = planRun(whole);
  assert.deepEqual(
    { name, startTime, endTime, status, traceback },
    {
      name: 'gpt-4o-mini acompletion 14:48:41',
      startTime: Math.floor(start),
      endTime: Math.floor(start) + 2001,
      status: 'FAILED',
      traceback: 'Traceback',
    },
  );
});

test('the time in a run’s name is that of its start, to the fraction of a millisecond', () => {
  const times = { ...whole.times, start: Date.parse('2026-11-24T10:00:01Z') - 0.1 };
  const { name, startTime } = planRun({ ...whole, times });
  assert.match(name, /10:00:01$/);
  assert.equal(startTime, Date.parse('2026-11-24T10:00:01Z'));
});

test('a second run on purpose has an id of its own, and names the first', () => {
  const first = planRun(whole);
  const second = planRun(whole, 1_800_000_000_000);
  const { recordId } = whole;
  assert.deepEqual([first.recordId, first.tags.get('sidecar.record_id')], [recordId, recordId]);
  assert.equal(second.recordId, `${recordId}-1800000000000`);
  assert.equal(second.tags.get('sidecar.record_id'), second.recordId);
  assert.equal(second.tags.get('sidecar.replay_of'), recordId);
  assert.ok(!first.tags.has('sidecar.replay_of'));
});

test('a run says with which probability its call was chosen, where that was by chance', () => {
  const rate = (sampleRate?: number) =>
    planRun(whole, undefined, sampleRate).tags.get('sidecar.sample_rate');
  assert.deepEqual([rate(), rate(1), rate(0.125)], [undefined, '1', '0.125']);
});

test('what is not known is absent, and no zero', () => {
  const { metrics, params, tags, name, status, ...rest } = planRun(bare);
  assert.deepEqual(Object.fromEntries(metrics), { cache_hit: 0, error: 0 });
  assert.deepEqual(Object.fromEntries(params), {});
  assert.deepEqual(Object.fromEntries(tags), {
    status: 'success',
    stream: 'false',
    cache_hit: 'false',
    'mlflow.source.name': 'litellm-mlflow-sidecar',
    'mlflow.source.type': 'LOCAL',
    'mlflow.note.content': '**success**',
    'sidecar.record': 'call',
    'sidecar.record_id': 'cd'.repeat(32),
    'sidecar.time': 'received',
  });
  assert.deepEqual([name, status], ['unknown model call 14:48:41', 'FINISHED']);
  assert.ok(!('traceback' in rest));
});

test('known zeros are there', () => {
  const { metrics } = planRun({
    ...bare,
    cacheHit: true,
    times: { start, end: start, source: 'call' },
    tokens: { prompt: 16, completion: 0, total: 16, cacheRead: 0 },
    cost: { usd: 0 },
    retries: 0,
  });
  assert.deepEqual(Object.fromEntries(metrics), {
    latency_ms: 0,
    prompt_tokens: 16,
    completion_tokens: 0,
    total_tokens: 16,
    cache_read_input_tokens: 0,
    cost_usd: 0,
    cache_hit: 1,
    error: 0,
    retries: 0,
  });
});

test('an answer from the cache was not generated, so it has no rate of tokens', () => {
  const hit: CallRecord = { ...whole, cacheHit: true };
  assert.ok(!planRun(hit).metrics.has('output_tokens_per_second'));
});

test('the user of a call without one is its key', () => {
  const { userId, ...caller } = whole.caller;
  assert.equal(planRun({ ...whole, caller }).tags.get('mlflow.user'), 'alias-checkout');
});

test('50 labels and 500 characters of an error are tags, whole characters all', () => {
  const requestTags = Array.from({ length: 80 }, (_, index) => `t${index}`);
  const message = `x${'😀'.repeat(400)}`;
  const { tags } = planRun({ ...whole, requestTags, error: { type: 'unknown', message } });
  assert.equal([...tags.keys()].filter((name) => name.startsWith('label.')).length, 50);
  assert.equal(tags.get('error_message'), `x${'😀'.repeat(249)}`);
});

test('no label takes the place of a tag of the sidecar’s own', () => {
  const { tags } = planRun({ ...whole, requestTags: ['status', 'sidecar.record_id'] });
  assert.equal(tags.get('status'), 'failure');
  assert.equal(tags.get('sidecar.record_id'), whole.recordId);
});

test('the note says how it ended, on what, how long, how many tokens, for how much and whom', () => {
  assert.equal(
    planRun(whole).tags.get('mlflow.note.content'),
    '**failure**: rate_limit · `openai/gpt-4o-mini` · 2.0 s · 29 tokens · 0.00123 USD (estimate) · team `payments`',
  );
});

test('names in the note cannot be markup', () => {
  const model = '`</code>\n\n<img src=x>`[link](http://x)';
  const note = planRun({ ...bare, model }).tags.get('mlflow.note.content');
  assert.equal(note, "**success** · `'</code> <img src=x>'[link](http://x)`");
});

test('nothing that was asked, answered or quoted by an error is in note, name or tags', () => {
  for (const file of ['chat_success.json', 'chat_tools.json', 'unicode.json', 'error_500.json']) {
    const [element] = readAll(fixtureBody(file));
    assert.equal(element?.kind, 'call');
    const prompt = 'Wie geht es dir, du geheimer Text?';
    const payload = {
      ...element.payload,
      messages: [{ role: 'user', content: prompt }],
      response: { choices: [{ message: { content: prompt } }] },
      error_information: { error_message: prompt, traceback: prompt },
    };
    const { tags, name, params } = planRun(parseCall(payload, 1));
    tags.delete('error_message');
    assert.ok(!JSON.stringify([[...tags], name, [...params]]).includes('geheimer'), file);
  }
});
