import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admitCall } from '../support/admitted-call.ts';
import { litellmEvent } from '../support/litellm-event.ts';
import { fixtureEvents } from '../support/litellm-fixture.ts';

interface CallJson {
  request: Record<string, unknown>;
  response: unknown;
  context: Record<string, unknown>;
}

function callJson(event: Record<string, unknown>): CallJson {
  return JSON.parse(admitCall(event, 1).body.toString('utf8'));
}

const event = (file: string) => fixtureEvents(file)[0] ?? {};

test('call.json holds what was asked, what was answered, and all the rest as context', () => {
  const posted = event('chat_success.json');
  const { messages, model_parameters, response, model_map_information, ...rest } = posted;
  assert.ok(model_map_information);
  const { error_information, error_str, ...others } = rest;
  const body = callJson(posted);
  assert.deepEqual(Object.keys(body), ['request', 'response', 'context']);
  assert.deepEqual(body.request, { messages, model_parameters });
  assert.deepEqual(body.response, response);
  const { error_information: keptError, ...context } = body.context;
  assert.deepEqual({ ...context, error_str: null }, { ...others, error_str });
  assert.ok(!('traceback' in Object(keptError)));
});

test('what repeats in every call of a model is left out, which is most of a small call', () => {
  const posted = event('chat_success.json');
  const { body } = admitCall(posted, 1);
  assert.ok(!body.includes('model_map_information'));
  assert.ok(body.length < JSON.stringify(posted).length / 2);
});

test('of an error, message and traceback stand once', () => {
  const posted = event('error_500.json');
  const { record, body } = admitCall(posted, 1);
  const { error } = record;
  assert.ok(error?.message !== undefined && error.traceback !== undefined);
  const written = body.toString('utf8');
  assert.equal(written.split(JSON.stringify(error.message).slice(1, -1)).length, 2);
  assert.ok(!written.includes('Traceback') && !written.includes('wrapper_async'));
  const { error_information } = callJson(posted).context;
  assert.equal(Object(error_information).error_class, 'InternalServerError');
});

test('an error text of its own stays beside the message', () => {
  const { context } = callJson(
    litellmEvent(1, { error_str: '429: too many', error_information: { error_message: 'many' } }),
  );
  assert.equal(context['error_str'], '429: too many');
});

test('a call without messages, response or parameters is still a call', () => {
  const { record, body } = admitCall({ litellm_call_id: 'x', messages: null }, 5);
  assert.equal(record.callId, 'x');
  assert.deepEqual(record.times, { start: 5, end: 5, source: 'received' });
  const written: CallJson = JSON.parse(body.toString('utf8'));
  assert.equal(written.request['messages'], null);
});

test('a nesting beyond the stack is refused with a RangeError', () => {
  let deep: unknown = 1;
  for (let depth = 0; depth < 200_000; depth += 1) deep = [deep];
  for (const name of ['metadata', 'messages', 'model_parameters', 'error_information', 'id', 'x']) {
    assert.throws(() => admitCall(litellmEvent(1, { [name]: { deep } }), 1), RangeError, name);
  }
});

test('the identity of a call does not depend on what is masked', () => {
  const ids = ['a-secret-of-one', 'a-secret-of-two'].map(
    (api_key) => admitCall(litellmEvent(1, { model_parameters: { api_key } }), 1).record.recordId,
  );
  assert.equal(ids[0], ids[1]);
});
