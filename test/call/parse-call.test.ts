import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCall } from '../../src/call/parse-call.ts';
import { litellmEvent } from '../support/litellm-event.ts';

const receivedAt = 1_795_531_800_000;
const parse = (changes: Record<string, unknown>) => parseCall(litellmEvent(1, changes), receivedAt);

test('the same call has the same identity, any difference in it makes another', () => {
  const { recordId } = parse({});
  assert.match(recordId, /^[0-9a-f]{64}$/);
  assert.equal(parse({ model: 'another', messages: [] }).recordId, recordId);
  for (const name of ['status', 'litellm_call_id', 'id', 'startTime', 'endTime']) {
    assert.notEqual(parse({ [name]: 'other' }).recordId, recordId, name);
    assert.notEqual(parse({ [name]: null }).recordId, recordId, name);
  }
});

test('cached tokens are counted in the shape of Anthropic', () => {
  const usage_object = {
    prompt_tokens: 5030,
    completion_tokens: 9,
    total_tokens: 5039,
    prompt_tokens_details: { cached_tokens: 4000, cache_creation_tokens: 1000 },
    completion_tokens_details: null,
    cache_read_input_tokens: 4000,
    cache_creation_input_tokens: 1000,
  };
  const changes = { prompt_tokens: 5030, completion_tokens: 9, total_tokens: 5039 };
  assert.deepEqual(parse({ ...changes, metadata: { usage_object } }).tokens, {
    prompt: 5030,
    completion: 9,
    total: 5039,
    cacheRead: 4000,
    cacheCreation: 1000,
  });
});

test('cached tokens are known without any details', () => {
  const usage_object = { cache_read_input_tokens: 7, cache_creation_input_tokens: 0 };
  const { tokens } = parse({ metadata: { usage_object } });
  assert.deepEqual([tokens.cacheRead, tokens.cacheCreation], [7, 0]);
});

test('written cache tokens of the OpenAI shape are cache creation', () => {
  const usage_object = { prompt_tokens_details: { cached_tokens: 5, cache_write_tokens: 6 } };
  const { tokens } = parse({ metadata: { usage_object } });
  assert.deepEqual([tokens.cacheRead, tokens.cacheCreation], [5, 6]);
});

test('zeros without a usage object are no counts', () => {
  const changes = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
  assert.deepEqual(parse({ ...changes, metadata: { usage_object: {} } }).tokens, {});
  assert.deepEqual(parse({ ...changes, metadata: null }).tokens, {});
});

test('a zero cost counts where a price is known, not where none is', () => {
  const priced = { model_map_value: { input_cost_per_token: 1e-7 } };
  const unpriced = { model_map_value: { input_cost_per_token: 0, max_tokens: 4096 } };
  const costOf = (changes: object) => parse({ response_cost: 0, ...changes }).cost;
  assert.deepEqual(costOf({ model_map_information: priced }), { usd: 0 });
  assert.deepEqual(costOf({ model_map_information: unpriced }), {});
  assert.deepEqual(costOf({ model_map_information: null }), {});
  assert.deepEqual(costOf({ model_map_information: priced, status: 'failure' }), {});
});

test('an answer from the cache cost nothing, and saved what LiteLLM says it saved', () => {
  const hit = { cache_hit: true, response_cost: 0 };
  assert.deepEqual(parse({ ...hit, saved_cache_cost: 0.000_007 }).cost, {
    usd: 0,
    savedUsd: 0.000_007,
  });
  assert.deepEqual(parse({ ...hit, saved_cache_cost: 0 }).cost, { usd: 0 });
  assert.deepEqual(parse({ cache_hit: false, saved_cache_cost: 0.5 }).cost.savedUsd, undefined);
  for (const cache_hit of [null, false, 'true', 1])
    assert.equal(parse({ cache_hit }).cacheHit, false);
});

test('a cost that is no finite number is not known', () => {
  for (const response_cost of ['NaN', Number.NaN, Number.POSITIVE_INFINITY, -1, '0.5', null]) {
    assert.deepEqual(parse({ response_cost }).cost, {}, String(response_cost));
  }
});

test('times that cannot be are replaced by the moment of the POST', () => {
  const unusable = [
    { startTime: null },
    { endTime: 'yesterday' },
    { startTime: 0, endTime: 1 },
    { startTime: 1_795_531_721_000, endTime: 1_795_531_722_000 },
    { startTime: 1_795_531_722, endTime: 1_795_531_721 },
    { startTime: Number.NaN },
  ];
  for (const times of unusable) {
    assert.deepEqual(parse(times).times, {
      start: receivedAt,
      end: receivedAt,
      source: 'received',
    });
  }
});

test('only a stream has a time of its first token, and only one within the call', () => {
  const at = { startTime: 1_795_531_721, endTime: 1_795_531_723 };
  const first = (changes: object) => parse({ ...at, ...changes }).times.firstToken;
  assert.equal(first({ stream: true, completionStartTime: 1_795_531_722 }), 1_795_531_722_000);
  assert.equal(first({ stream: null, completionStartTime: 1_795_531_722 }), undefined);
  for (const completionStartTime of [null, 1_795_531_720, 1_795_531_724]) {
    assert.equal(first({ stream: true, completionStartTime }), undefined);
  }
  const failed = { status: 'failure', stream: null, model_parameters: { stream: true } };
  assert.equal(first({ ...failed, completionStartTime: 1_795_531_723 }), undefined);
  assert.equal(first({ ...failed, completionStartTime: 1_795_531_722 }), 1_795_531_722_000);
});

test("tags are the client's own, each once, and what LiteLLM adds is not among them", () => {
  const request_tags = [
    'a',
    'User-Agent: curl',
    'b',
    'a',
    7,
    null,
    { x: 1 },
    '',
    'User-Agent: curl/8',
  ];
  assert.deepEqual(parse({ request_tags }).requestTags, ['a', 'b', '7']);
  assert.deepEqual(parse({ request_tags: 'a' }).requestTags, []);
});

test("LiteLLM's session counts before the client's", () => {
  const metadata = { requester_metadata: { session_id: 'mine' } };
  assert.equal(parse({ session_id: 'from-litellm', metadata }).sessionId, 'from-litellm');
  assert.equal(parse({ session_id: '', metadata }).sessionId, 'mine');
  assert.equal(parse({ session_id: '' }).sessionId, undefined);
});

test('parameters are texts: as they are, or as JSON, and 80 at most', () => {
  const given = { temperature: 0.5, stop: ['a', 'b'], user: 'me', stream: false, none: null };
  assert.deepEqual(parse({ model_parameters: given }).parameters, {
    temperature: '0.5',
    stop: '["a","b"]',
    user: 'me',
    stream: 'false',
  });
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`p${index}`, index]));
  assert.equal(Object.keys(parse({ model_parameters: many }).parameters).length, 80);
});

test('a success has no error, whatever its error fields hold', () => {
  assert.equal(parse({ error_information: { error_class: 'X' }, error_str: 'x' }).error, undefined);
});

test('a call that does not say how it ended failed where it names an error', () => {
  assert.equal(parse({ status: null }).status, 'success');
  assert.equal(parse({ status: 'odd', error_str: 'it broke' }).status, 'failure');
  const error_information = { error_class: 'RateLimitError' };
  assert.deepEqual(parse({ status: undefined, error_information }).error?.type, 'rate_limit');
});

test('a failure keeps the beginning of its message and traceback', () => {
  const long = 'x'.repeat(100_000);
  const { error } = parse({
    status: 'failure',
    error_information: { error_message: long, traceback: long },
  });
  assert.equal(error?.message?.length, 2000);
  assert.equal(error?.traceback?.length, 65_536);
  assert.equal(parse({ status: 'failure', error_str: 'said here' }).error?.message, 'said here');
});

/** Anything that JSON can hold, for one field after the other. */
const wrong = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(Number.NaN, Number.POSITIVE_INFINITY, -0, 1e308, '', [], {}, null),
  fc.nat({ max: 6 }).map((length) => 'x'.repeat(length % 7) + '😀'.repeat(40_000)),
);
const names = Object.keys(litellmEvent(1));
const inside = {
  metadata: ['usage_object', 'requester_metadata', 'user_api_key_user_id', 'user_api_key_alias'],
  hidden_params: ['additional_headers', 'litellm_overhead_time_ms'],
  error_information: ['error_message', 'error_class', 'error_code', 'traceback'],
  model_parameters: ['stream', 'temperature', '__proto__', 'constructor'],
};

test('no field of any type makes a call other than well-formed, finite and small', () => {
  const changes = fc.record(
    {
      ...Object.fromEntries(names.map((name) => [name, wrong])),
      ...Object.fromEntries(
        Object.entries(inside).map(([name, members]) => [
          name,
          fc.oneof(
            wrong,
            fc.dictionary(fc.constantFrom(...members), wrong, { noNullPrototype: true }),
          ),
        ]),
      ),
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  fc.assert(
    fc.property(changes, fc.constantFrom('success', 'failure', undefined), (given, status) => {
      assertSound(parseCall({ ...litellmEvent(1, given), ...(status && { status }) }, receivedAt));
    }),
    { numRuns: 500 },
  );
});

function assertSound(value: unknown): void {
  if (typeof value === 'string') assert.ok(value.isWellFormed());
  else if (typeof value === 'number') assert.ok(Number.isFinite(value));
  else if (typeof value === 'object' && value !== null) Object.values(value).forEach(assertSound);
  else assert.ok(typeof value === 'boolean', typeof value);
}

test('the class of service is that of the answer, else that of the price, never what was asked for', () => {
  const tierOf = (changes: Record<string, unknown>) => parse(changes).serviceTier;
  const model_parameters = { service_tier: 'auto' };
  const cost_breakdown = { service_tier: 'flex' };
  assert.equal(tierOf({ model_parameters, response: { service_tier: 'default' } }), 'default');
  assert.equal(tierOf({ response: { usage: { service_tier: 'standard' } } }), 'standard');
  assert.equal(tierOf({ cost_breakdown, response: { service_tier: null } }), 'flex');
  assert.equal(tierOf({ cost_breakdown, response: { service_tier: 'priority' } }), 'priority');
  assert.equal(tierOf({ model_parameters, response: 'redacted-by-litellm' }), undefined);
});

test('a cost is parted into what was asked and what was answered, where it is known itself', () => {
  const cost_breakdown = { input_cost: 0.2, output_cost: 0.3, total_cost: 0.5 };
  assert.deepEqual(parse({ response_cost: 0.5, cost_breakdown }).cost, {
    ...{ usd: 0.5, inputUsd: 0.2, outputUsd: 0.3 },
  });
  assert.deepEqual(parse({ response_cost: 0.5, cost_breakdown: null }).cost, { usd: 0.5 });
  assert.deepEqual(parse({ response_cost: 0, cost_breakdown }).cost, {});
});
