import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { planTrace } from '../../src/record/trace/plan-trace.ts';
import { shortenJson } from '../../src/record/trace/shorten-json.ts';
import { traceContent } from '../../src/record/trace/trace-content.ts';
import { tracePage } from '../../src/record/trace/trace-page.ts';
import { admitCall } from '../support/admitted-call.ts';
import { anyText } from '../support/any-call.ts';
import { litellmEvent } from '../support/litellm-event.ts';
import { fixtureEvents } from '../support/litellm-fixture.ts';

function traceOf(changes: Record<string, unknown> = {}, runId?: string) {
  const { record, body } = admitCall(litellmEvent(1, changes), 1_800_000_000_000);
  return planTrace(record, body, runId);
}

test('a call is one span with what was asked, answered, used and paid', () => {
  const usage_object = {
    ...{ prompt_tokens: 21, completion_tokens: 7, total_tokens: 28 },
    prompt_tokens_details: { cached_tokens: 5 },
    cache_creation_input_tokens: 3,
  };
  const metadata = { user_api_key_user_id: 'user-42', user_api_key_team_alias: 'payments' };
  const trace = traceOf(
    {
      session_id: 'talk',
      cost_breakdown: { input_cost: 0.000_003, output_cost: 0.000_004_35 },
      messages: [{ role: 'user', content: 'Why?' }],
      response: { choices: [{ message: { role: 'assistant', content: 'So.' } }] },
      metadata: { ...metadata, usage_object },
    },
    'run-1',
  );
  const { tags, startTime, ...rest } = trace;
  assert.deepEqual(rest, {
    traceId: rest.traceId,
    spanId: rest.spanId,
    name: 'gpt-4o-mini acompletion',
    spanType: 'CHAT_MODEL',
    status: 'OK',
    endTime: startTime + 250,
    inputs:
      '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Why?"}],"temperature":0.5}',
    outputs: '{"choices":[{"message":{"role":"assistant","content":"So."}}]}',
    messageFormat: 'openai',
    tokens: {
      ...{ input_tokens: 21, output_tokens: 7, total_tokens: 28 },
      ...{ cache_read_input_tokens: 5, cache_creation_input_tokens: 3 },
    },
    cost: { input_cost: 0.000_003, output_cost: 0.000_004_35, total_cost: 0.000_007_35 },
    model: 'openai/gpt-4o-mini',
    provider: 'openai',
    session: 'talk',
    user: 'user-42',
  });
  assert.equal(tags.get('run_id'), 'run-1');
  assert.equal(tags.get('team_alias'), 'payments');
  assert.equal(tags.get('request_id'), 'call-1');
  assert.equal(tags.get('sidecar.record_id')?.slice(0, 48), trace.traceId + trace.spanId);
  assert.ok(![...tags.keys()].some((name) => name.startsWith('mlflow.')));
});

test('a failure is an error with its exception, and without an answer', () => {
  const error_information = {
    ...{ error_class: 'RateLimitError', error_code: '429', error_message: 'slow down' },
    traceback: 'Traceback',
  };
  const trace = traceOf({ status: 'failure', response: {}, response_cost: 0, error_information });
  assert.equal(trace.status, 'ERROR');
  assert.deepEqual(trace.error, {
    ...{ type: 'RateLimitError', message: 'slow down', stacktrace: 'Traceback' },
  });
  assert.equal(trace.outputs, undefined);
  assert.equal(trace.tags.get('error_type'), 'rate_limit');
});

test('what a cache answered cost nothing; a cost that is not known is none', () => {
  const hit = traceOf({ cache_hit: true, response_cost: 0 });
  assert.deepEqual(hit.cost, { input_cost: 0, output_cost: 0, total_cost: 0 });
  const unpriced = traceOf({ response_cost: 0 });
  assert.deepEqual(unpriced.cost, {});
  assert.equal(unpriced.tags.get('sidecar.cost'), 'unknown');
});

test('the call type says what kind of span it is', () => {
  const typeOf = (call_type: string) => traceOf({ call_type }).spanType;
  for (const chat of ['completion', 'acompletion', 'aresponses', 'anthropic_messages']) {
    assert.equal(typeOf(chat), 'CHAT_MODEL');
  }
  assert.equal(typeOf('aembedding'), 'EMBEDDING');
  assert.equal(typeOf('atext_completion'), 'LLM');
  assert.equal(typeOf('aimage_generation'), 'LLM');
});

test('calls of one trace of LiteLLM are one session where the client named none', () => {
  assert.equal(traceOf({ session_id: '' }).session, 'trace-1');
});

test('a call without a body has a trace without inputs', () => {
  const { record } = admitCall(litellmEvent(1), 1);
  const trace = planTrace(record);
  assert.equal(trace.inputs ?? trace.outputs, undefined);
  assert.equal(trace.tokens['total_tokens'], 28);
});

test('inputs and outputs are JSON for every call that LiteLLM posts', () => {
  for (const name of [
    'chat_tools',
    'chat_multimodal_base64',
    'unicode',
    'responses',
    'embeddings',
  ]) {
    for (const event of fixtureEvents(`${name}.json`)) {
      const { record, body } = admitCall(event, 1);
      const { inputs, outputs } = planTrace(record, body);
      const { request, response } = JSON.parse(body.toString());
      assert.deepEqual(JSON.parse(inputs ?? '').messages, request.messages);
      assert.deepEqual(JSON.parse(outputs ?? ''), response);
    }
  }
});

const bodyOf = (messages: unknown, response: unknown, model_parameters: unknown = {}) =>
  Buffer.from(JSON.stringify({ request: { messages, model_parameters }, response, context: {} }));

test('a large call keeps its shape, with the beginnings of its long texts', () => {
  const long = 'é"\\😀\n'.repeat(100_000);
  const messages = [
    { role: 'system', content: long },
    { role: 'user', content: 'Why?' },
  ];
  const { inputs = '', outputs = '', isCut } = traceContent(bodyOf(messages, { text: long }), 'm');
  assert.ok(isCut && inputs.length < 10_000);
  const { messages: kept } = JSON.parse(inputs);
  assert.equal(kept[1].content, 'Why?');
  assert.ok(long.startsWith(kept[0].content.slice(0, -1)) && kept[0].content.length > 800);
  assert.ok(JSON.parse(outputs).text.endsWith('…'));
});

test('a call with too much of too many short texts is cut to a beginning', () => {
  const messages = Array.from({ length: 40_000 }, (_, index) => ({ role: 'user', content: index }));
  const { inputs = '', isCut } = traceContent(bodyOf(messages, null), 'm');
  assert.ok(isCut && inputs.length < 10_000);
  assert.equal(typeof JSON.parse(inputs).messages, 'string');
});

test('a parameter that is too large or named like the messages is left out', () => {
  const parameters = { messages: 1, model: 2, tools: 'x'.repeat(300_000), n: 3 };
  const { inputs = '', isCut } = traceContent(bodyOf([{ a: 1 }], { b: 1 }, parameters), 'm');
  assert.ok(isCut);
  assert.deepEqual(JSON.parse(inputs), { model: 'm', messages: [{ a: 1 }] });
});

test('shortened JSON is JSON, and no longer than it may be', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(anyText, fc.jsonValue()), { maxLength: 6 }),
      fc.integer({ min: 2_500, max: 40_000 }),
      (value, most) => {
        const json = Buffer.from(JSON.stringify(value));
        const short = shortenJson(json, { start: 0, end: json.length }, most);
        assert.doesNotThrow(() => JSON.parse(short));
        if (json.length <= most) assert.equal(short, json.toString());
        else assert.ok(Buffer.byteLength(short) <= Math.max(most, 13_000));
      },
    ),
    { numRuns: 300 },
  );
});

test('the page of a trace is known before the trace is there', () => {
  const { record } = admitCall(litellmEvent(1), 1);
  assert.equal(
    tracePage('7', record.recordId),
    `#/experiments/7/traces?selectedEvaluationId=tr-${planTrace(record).traceId}`,
  );
});
