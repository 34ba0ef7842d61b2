import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import type { Caller, CallRecord, TokenCounts } from '../../src/call/call-record.ts';
import type { ErrorType } from '../../src/call/error-type.ts';
import { parseCall } from '../../src/call/parse-call.ts';
import { fixtureBody, fixtureFolder } from '../support/litellm-fixture.ts';
import { readAll } from '../support/read-all.ts';

/** What a person reads in a fixture. What is not named in a row is as in `usual`. */
interface Row {
  stream?: true;
  cacheHit?: true;
  callType?: string;
  model?: string | null;
  modelGroup?: string | null;
  provider?: string | null;
  tokens?: TokenCounts;
  usd?: number | null;
  retries?: number | null;
  caller?: Caller;
  sessionId?: string;
  requestTags?: string[];
  error?: ErrorType;
}

const ada: Caller = {
  userId: 'user-42',
  teamId: 'team-7',
  teamAlias: 'payments',
  orgId: 'org-1',
  keyAlias: 'alias-checkout',
};
const nobody: Caller = {};
const master: Caller = { userId: 'default_user_id' };

const usual = {
  callType: 'acompletion',
  model: 'openai/gpt-4o-mini',
  modelGroup: 'gpt-4o-mini',
  provider: 'openai',
  tokens: { prompt: 21, completion: 7, total: 28, cacheRead: 0, reasoning: 0 },
  usd: 0.000_007_35,
  retries: 0,
  caller: ada,
  requestTags: [],
} satisfies Row;

const mocked: Row = {
  modelGroup: 'm',
  tokens: { prompt: 10, completion: 20, total: 30 },
  usd: 0.000_013_5,
};
const streamed: Row = { stream: true, retries: null };
const viaResponses: Row = {
  tokens: { prompt: 12, completion: 6, total: 18, cacheRead: 4, reasoning: 3 },
  usd: 0.000_005_1,
};
/** LiteLLM counts neither tokens nor money for a failure; its zeros mean that it does not know. */
const failed = (error: ErrorType, row: Row = {}): Row => ({
  tokens: {},
  usd: null,
  retries: null,
  error,
  ...row,
});
const neverRouted: Row = { model: null, modelGroup: null, provider: null };

const expected: Readonly<Record<string, readonly Row[]>> = {
  'big_numbers.json': [{}],
  'big_output.json': [{}],
  'cache_miss_then_hits.json': [{}, { cacheHit: true, usd: 0 }, { cacheHit: true, usd: 0 }],
  'chat_empty_key_accepted.json': [{}],
  'chat_headers_tags.json': [
    {
      caller: { ...ada, endUser: 'hdr-enduser' },
      sessionId: 'hdr-trace',
      requestTags: ['hdr1', 'hdr2'],
    },
  ],
  'chat_litellm_metadata.json': [{ requestTags: ['lm1'] }],
  'chat_metadata_tags.json': [
    {
      caller: { ...ada, endUser: 'end-user-9' },
      sessionId: 'my-session-1',
      requestTags: ['prod', 'team:checkout'],
    },
  ],
  'chat_mock.json': [{ ...mocked, model: 'openai/gpt-4o', modelGroup: 'mocked', usd: 0.000_225 }],
  'chat_mock_request.json': [{}],
  'chat_multimodal_base64.json': [{}],
  'chat_multimodal_url.json': [{}],
  'chat_prompt_cache.json': [
    {
      tokens: { prompt: 2048, completion: 7, total: 2055, cacheRead: 1920, reasoning: 0 },
      usd: 0.000_167_4,
    },
  ],
  'chat_reasoning.json': [
    {
      model: 'openai/o3-mini',
      modelGroup: 'o3-mini',
      tokens: { prompt: 21, completion: 507, total: 528, cacheRead: 0, reasoning: 500 },
      usd: 0.002_253_9,
    },
  ],
  'chat_stream.json': [streamed],
  'chat_stream_usage.json': [streamed],
  'chat_success.json': [{}],
  'chat_success_minimal_auth.json': [{ caller: nobody }],
  'chat_tools.json': [{}],
  'chat_unpriced.json': [
    { model: 'openai/my-own-model', modelGroup: 'custom-unpriced', usd: null },
  ],
  'client_disconnect.json': [{}],
  'correlation_ids.json': [{ sessionId: 'hdr-trace' }],
  'dup_registration_success.json': [{ ...mocked, caller: master }],
  'embeddings.json': [
    {
      callType: 'aembedding',
      model: 'openai/text-embedding-3-small',
      modelGroup: 'emb',
      tokens: { prompt: 16, completion: 0, total: 16 },
      usd: 0.000_000_32,
    },
  ],
  'error_400.json': [failed('invalid_request')],
  'error_401.json': [failed('authentication')],
  'error_429.json': [failed('rate_limit')],
  'error_500.json': [failed('server_error')],
  'error_bad_json.json': [failed('invalid_request', neverRouted)],
  'error_bad_key.json': [failed('authentication', { caller: nobody })],
  'error_budget.json': [failed('budget_exceeded', { caller: nobody })],
  'error_content.json': [failed('content_policy')],
  'error_midstream.json': [
    failed('server_error', {
      stream: true,
      tokens: {
        prompt: 13,
        completion: 3,
        total: 16,
        cacheRead: 0,
        cacheCreation: 0,
        reasoning: 0,
      },
      usd: 0.000_003_75,
    }),
  ],
  'error_missing_messages.json': [failed('invalid_request')],
  'error_proxy_ratelimit.json': [failed('rate_limit', { modelGroup: 'm' })],
  'error_timeout.json': [failed('timeout')],
  'error_unknown_model.json': [failed('not_found', { ...neverRouted, model: 'no-such-model' })],
  'fallback_success.json': [
    failed('connection', { model: 'openai/gpt-4o', modelGroup: 'fb-primary' }),
    { modelGroup: 'fb-secondary' },
  ],
  'format_ndjson.ndjson': [mocked, mocked, mocked, failed('server_error', { modelGroup: 'bad' })],
  'format_single.json': [failed('server_error', { modelGroup: 'bad' })],
  'guardrail_pass.json': [{}],
  'lone_surrogate.json': [failed('invalid_request', neverRouted)],
  'messages.json': [
    {
      callType: 'anthropic_messages',
      model: 'anthropic/claude-3-5-sonnet-20240620',
      modelGroup: 'claude',
      provider: 'anthropic',
      tokens: {
        prompt: 30,
        completion: 9,
        total: 39,
        cacheRead: 0,
        cacheCreation: 0,
        reasoning: 0,
      },
      usd: null,
      retries: null,
    },
  ],
  'messages_to_openai.json': [{ ...viaResponses, callType: 'anthropic_messages', retries: null }],
  'nan_metadata.json': [{}],
  'nodb_master_key_user.json': [{ ...mocked, caller: { ...master, endUser: 'u1' } }],
  'nodb_no_key.json': [failed('authentication', { caller: nobody, modelGroup: 'm' })],
  'redacted_chat.json': [{ requestTags: ['t1'] }],
  'redacted_embeddings.json': [
    {
      callType: 'aembedding',
      model: 'openai/text-embedding-3-small',
      modelGroup: 'emb',
      tokens: { prompt: 8, completion: 0, total: 8 },
      usd: 0.000_000_16,
    },
  ],
  'redacted_stream.json': [streamed],
  'redaction_bypass_header.json': [{}],
  'responses.json': [{ ...viaResponses, callType: 'aresponses' }],
  'retry_exhausted.json': [failed('server_error', { modelGroup: 'retry-me' })],
  'retry_then_success.json': [
    failed('server_error', { modelGroup: 'retry-me' }),
    { modelGroup: 'retry-me', retries: 1 },
  ],
  'text_completion.json': [
    {
      callType: 'atext_completion',
      model: 'text-completion-openai/gpt-3.5-turbo-instruct',
      modelGroup: 'comp',
      provider: 'text-completion-openai',
      tokens: { prompt: 5, completion: 2, total: 7 },
      usd: 0.000_011_5,
    },
  ],
  'unicode.json': [{ requestTags: ['täg😀'] }],
};

/** The few fields of a payload whose values no table need repeat. */
interface Posted {
  id: string;
  litellm_call_id: string;
  trace_id: string;
  status: 'success' | 'failure';
  api_base: string | null;
  startTime: number;
  endTime: number;
  completionStartTime: number;
  hidden_params: { litellm_overhead_time_ms: number | null };
  response: { service_tier?: string | null } | string | null;
  cost_breakdown: { input_cost: number; output_cost: number } | null;
  error_information: {
    error_class: string;
    error_code: string;
    error_message: string;
    traceback: string;
  };
}

/** The events as JSON.parse reads them, with what it cannot read made null. */
function posted(file: string): Posted[] {
  const text = fixtureBody(file)
    .toString('utf8')
    .replace(/\b(NaN|Infinity)\b/g, 'null');
  if (file.endsWith('.ndjson')) return text.split('\n').map((line): Posted => JSON.parse(line));
  const parsed: Posted | Posted[] = JSON.parse(text);
  return Array.isArray(parsed) ? parsed : [parsed];
}

function recordsIn(file: string): CallRecord[] {
  return readAll(fixtureBody(file)).map((element) => {
    assert.equal(element.kind, 'call');
    return parseCall(element.payload, 1);
  });
}

/** `undefined` for the empty texts and nulls by which LiteLLM says that there is nothing. */
const orAbsent = <T>(value: T | null) => (value === null || value === '' ? undefined : value);

/** `record` without the members that are absent, for comparison. */
const plain = (record: unknown): unknown => JSON.parse(JSON.stringify(record));

for (const [file, rows] of Object.entries(expected)) {
  test(`${file} is read as what it says`, () => {
    const events = posted(file);
    const records = recordsIn(file);
    assert.equal(records.length, rows.length);
    for (const [index, row] of rows.entries()) {
      const event = events[index];
      const record = records[index];
      assert.ok(event !== undefined && record !== undefined);
      const want = { ...usual, ...row };
      const { times, parameters, recordId, error, cost, ...rest } = record;
      assert.deepEqual(
        plain(rest),
        plain({
          status: event.status,
          stream: want.stream ?? false,
          cacheHit: want.cacheHit ?? false,
          tokens: want.tokens,
          caller: want.caller,
          requestTags: want.requestTags,
          callId: event.litellm_call_id,
          responseId: event.id,
          traceId: event.trace_id,
          sessionId: want.sessionId,
          callType: want.callType,
          model: orAbsent(want.model),
          modelGroup: orAbsent(want.modelGroup),
          provider: orAbsent(want.provider),
          serviceTier: tierOf(event),
          apiBase: orAbsent(event.api_base),
          retries: orAbsent(want.retries),
          overheadMs: orAbsent(event.hidden_params.litellm_overhead_time_ms),
        }),
      );
      const { usd, ...breakdown } = cost;
      if (want.usd === null) assert.equal(usd, undefined);
      else assertClose(usd, want.usd, 1e-12);
      const { input_cost: inputUsd, output_cost: outputUsd } = event.cost_breakdown ?? {};
      const known = want.usd !== null && event.cost_breakdown !== null;
      assert.deepEqual(breakdown, known ? { inputUsd, outputUsd } : {});
      assert.equal(recordId, identityOf(event));
      assertTimes(record, event, want.stream === true);
      assertError(record, event, want.error);
    }
  });
}

function tierOf({ response }: Posted): string | undefined {
  return typeof response === 'object' ? orAbsent(response?.service_tier ?? null) : undefined;
}

function assertClose(actual: number | undefined, wanted: number, within: number): void {
  assert.ok(Math.abs((actual ?? Number.NaN) - wanted) <= within, `${actual} is not ${wanted}`);
}

function identityOf(event: Posted): string {
  const { status, litellm_call_id, id, startTime, endTime } = event;
  return createHash('sha256')
    .update(`${status}|${litellm_call_id}|${id}|${startTime}|${endTime}`)
    .digest('hex');
}

function assertTimes({ times }: CallRecord, event: Posted, stream: boolean): void {
  const microsecond = 0.001;
  assert.equal(times.source, 'call');
  assertClose(times.start, event.startTime * 1000, microsecond);
  assertClose(times.end, event.endTime * 1000, microsecond);
  if (stream) assertClose(times.firstToken, event.completionStartTime * 1000, microsecond);
  else assert.equal(times.firstToken, undefined);
}

function assertError(record: CallRecord, event: Posted, type: ErrorType | undefined): void {
  if (type === undefined) {
    assert.equal(record.error, undefined);
    return;
  }
  const { error_class, error_code, error_message, traceback } = event.error_information;
  assert.deepEqual(
    plain(record.error),
    plain({
      type,
      class: orAbsent(error_class),
      code: orAbsent(error_code),
      message: orAbsent(error_message),
      traceback: orAbsent(traceback),
    }),
  );
}

test('every fixture has a row, and each exact copy of a body reads like its fixture', () => {
  for (const file of readdirSync(fixtureFolder)) {
    if (file.endsWith('.raw')) {
      assert.deepEqual(recordsIn(file), recordsIn(file.replace('.raw', '.json')));
    } else {
      assert.ok(file in expected, file);
    }
  }
});

test('identities are what Python makes of the same fields', () => {
  const ids = ['chat_success.json', 'retry_then_success.json', 'cache_miss_then_hits.json'].map(
    (file) => recordsIn(file).map(({ recordId }) => recordId),
  );
  assert.deepEqual(ids[0], ['9c762d33366bad01e1a63a5e9c9d12925814d10d29b3feb4ff5b50edf371938d']);
  assert.deepEqual(ids[1], [
    'a431b75fd0562d0e88f20e296dc05a8e254d5096b7be472b270cb4c1d24de011',
    '1d9a36bff7f79d21d8938bcce98f17238d151513738cb065f860396c832eab1f',
  ]);
  assert.equal(ids[2]?.[1], 'f821e4a60df7d9afaeadf688cd933d180f3ae4279a80e48c415192054976a86d');
});
