import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { keys } from '../support/litellm-keys.ts';
import { listOf, recordOf } from '../support/upstream-request.ts';
import {
  answerTo,
  chatMetrics,
  headerMetrics,
  messageMetrics,
  numberIn,
  overheadMetric,
  tokenMetrics,
  usageOf,
} from './litellm/answered.ts';
import { assertClose } from './litellm/assert-run.ts';
import { clientSecrets, unicodePrompt } from './litellm/calls.ts';
import { type Checks, createChecks } from './litellm/checks.ts';
import type { RunFacts } from './litellm/expected-run.ts';
import { chatFacts, failedFacts, messageFacts, messageIn, refusedFacts } from './litellm/kinds.ts';
import { costOf } from './litellm/prices.ts';
import { overloaded, ownRefusals, refusals, serverError } from './litellm/refusals.ts';
import { type FiledRun, type Stage, startStage } from './litellm/stage.ts';

/*
 * What MLflow holds of a call is compared with what its client, the upstream and LiteLLM's posts
 * know of it; nothing here comes from the sidecar's own code.
 */

let stage: Stage;
let checks: Checks;

before(
  async () => {
    stage = await startStage();
    checks = createChecks(stage);
  },
  { timeout: 600_000 },
);

after(() => stage?.close());

test('each event that LiteLLM posted is one run, and there is no other', async () => {
  const { runs, events, expected, sidecar } = stage;
  assert.equal(events.length, expected);
  assert.equal(runs.length, expected);
  const ids = (texts: (string | undefined)[]) => texts.sort();
  assert.deepEqual(
    ids(runs.map(({ run }) => run.tags['request_id'])),
    ids(events.map((event) => String(event['litellm_call_id']))),
  );
  const metrics = await sidecar.metrics();
  assert.equal(metrics['litellm_mlflow_calls_recorded_total'], expected);
  assert.equal(metrics['litellm_mlflow_calls_dead_total'], 0);
});

test('a chat has its tokens, cost, caller, parameters and times', () => {
  const { run } = checks.chat('chat', 'gpt-4o-mini');
  assert.ok((run.metrics['latency_ms'] ?? 0) >= 78, 'it waited 80 ms for the upstream');
  assert.equal(run.params['temperature'], '0.2');
  assert.equal(run.params['max_tokens'], '50');
});

test('a chat with tools keeps the tools that were offered and the call that was answered', () => {
  const { run } = checks.chat('tools', 'gpt-4o');
  assert.match(run.params['tools'] ?? '', /"get_weather"/);
  const [called] = listOf(checks.message('tools')['tool_calls']).map(recordOf);
  assert.deepEqual(recordOf(called)['function'], {
    name: 'get_weather',
    arguments: '{"city":"Paris"}',
  });
});

test('a streamed chat has the time to its first token, and its usage', () => {
  const { run } = checks.chat('stream', 'gpt-4o');
  assert.ok((run.metrics['time_to_first_token_ms'] ?? 0) >= 298, 'it was held back for 300 ms');
});

test('embeddings have prompt tokens and a cost, and nothing that only a chat has', () => {
  const call = stage.made.embeddings;
  const usage = usageOf(call);
  const facts: RunFacts = {
    status: 'success',
    callType: 'aembedding',
    model: 'openai/text-embedding-3-small',
    group: 'text-embedding-3-small',
    provider: 'openai',
    apiBase: `${stage.upstreamUrl}/v1`,
    parameters: {},
    responseId: call.callId,
    metrics: {
      ...tokenMetrics(usage),
      ...headerMetrics(call),
      cost_usd: costOf('text-embedding-3-small', usage) ?? Number.NaN,
    },
  };
  checks.only('embeddings', facts);
  const answered = recordOf(JSON.parse(call.answer));
  assert.deepEqual(checks.response('embeddings')['data'], answered['data']);
});

test("Anthropic's messages count the tokens read from and written to the prompt cache", () => {
  const call = stage.made.message;
  const { run } = checks.only('message', {
    ...messageFacts(call, stage.upstreamUrl),
    metrics: { ...messageMetrics(call), ...overheadMetric(call) },
  });
  assert.equal(run.metrics['cache_read_input_tokens'], 400);
  assert.equal(run.metrics['cache_creation_input_tokens'], 100);
  assertClose(run.metrics['cost_usd'], numberIn(call.answerHeaders, 'x-litellm-response-cost'));
  assert.equal(checks.message('message')['content'], answerTo(call));
});

test("a stream of Anthropic's messages has the time to its first token", () => {
  const call = stage.made.messageStream;
  const { run } = checks.only('messageStream', {
    ...messageFacts(call, stage.upstreamUrl),
    metrics: messageMetrics(call),
  });
  // LiteLLM's clock starts with the upstream's headers here, a little after the upstream's own.
  assert.ok((run.metrics['time_to_first_token_ms'] ?? 0) > 200, 'it was held back for 400 ms');
  assert.equal(checks.message('messageStream')['content'], answerTo(call));
});

test("OpenAI's responses are recorded like a chat, under the id that the client got", () => {
  const call = stage.made.response;
  const { id, output } = recordOf(JSON.parse(call.answer));
  checks.only('response', {
    ...chatFacts(call, stage.upstreamUrl, 'gpt-4o'),
    callType: 'aresponses',
    apiBase: `${stage.upstreamUrl}/v1/responses`,
    parameters: { temperature: 0.3 },
    responseId: String(id),
    metrics: { ...chatMetrics(call, 'gpt-4o'), ...headerMetrics(call) },
  });
  const texts = (items: unknown) =>
    listOf(items)
      .flatMap((item) => listOf(recordOf(item)['content']))
      .map((part) => recordOf(part)['text']);
  assert.deepEqual(texts(checks.response('response')['output']), [answerTo(call)]);
  assert.deepEqual(texts(output), [answerTo(call)]);
});

test('tokens that the provider had cached are counted, and cost less', () => {
  assert.equal(checks.chat('promptCached', 'gpt-4o').run.metrics['cache_read_input_tokens'], 256);
  assert.equal(
    checks.chat('promptCachedStream', 'gpt-4o').run.metrics['cache_read_input_tokens'],
    128,
  );
});

test('reasoning tokens are counted apart', () => {
  assert.equal(checks.chat('reasoning', 'o3-mini').run.metrics['reasoning_tokens'], 120);
});

test('a model without a price has no cost', () => {
  const { run } = checks.chat('unpriced', 'in-house-7b', { group: 'in-house' });
  assert.equal('cost_usd' in run.metrics, false);
});

test("an answer from LiteLLM's cache cost nothing, and is not called generated", () => {
  checks.chat('missed', 'gpt-4o-mini');
  const { call, run } = checks.hit('hit', 'missed', { retries: 0 });
  assert.equal(run.metrics['cost_usd'], 0);
  assert.notEqual(call.callId, stage.made.missed.callId);
});

test("a stream from LiteLLM's cache tells what it saved", () => {
  checks.chat('missedStream', 'gpt-4o-mini');
  const saved = costOf('gpt-4o-mini', usageOf(stage.made.missedStream)) ?? 0;
  const event = checks.event('hitStream');
  assertClose(Number(event['saved_cache_cost']), saved);
  checks.hit('hitStream', 'missedStream', { saved_cost_usd: Number(event['saved_cache_cost']) });
});

test('tags of the body and of the header become request_tags and labels', () => {
  checks.chat('bodyTags', 'gpt-4o-mini', {
    tags: {
      request_tags: 'prod,team:checkout,a,b',
      'label.prod': 'true',
      'label.team:checkout': 'true',
      'label.a_b': 'true',
    },
  });
  checks.chat('headerTags', 'gpt-4o-mini', {
    tags: { request_tags: 'nightly,größe!', 'label.nightly': 'true', 'label.größe_': 'true' },
  });
});

test('end user, session and a call id of the client are tags', () => {
  checks.chat('endUser', 'gpt-4o-mini', { tags: { end_user: 'customer-1' } });
  checks.chat('session', 'gpt-4o-mini', { tags: { session_id: 'session-7' } });
  const { run } = checks.chat('ownId', 'gpt-4o-mini');
  assert.equal(run.tags['request_id'], 'a call id of my own');
});

test('any Unicode of a prompt comes through', () => {
  checks.chat('unicode', 'gpt-4o-mini');
  const [message] = listOf(recordOf(checks.file('unicode')['request'])['messages']);
  assert.deepEqual(message, { role: 'user', content: unicodePrompt });
});

test('NaN, infinities and integers beyond 2^53 are kept as text', () => {
  checks.chat('strangeNumbers', 'gpt-4o-mini', {
    parameters: { stream: false, seed: '9007199254740993' },
  });
  const metadata = recordOf(recordOf(checks.file('strangeNumbers')['context'])['metadata']);
  const { nan, endless, big, one } = recordOf(metadata['requester_metadata']);
  assert.deepEqual(
    { nan, endless, big, one },
    { nan: 'NaN', endless: '-Infinity', big: '123456789012345678901234567890', one: 1 },
  );
});

test('a refusal of the provider is a failed run that says why', () => {
  for (const { name, model, error, more } of refusals) {
    const call = stage.made[name];
    assert.ok(call.status >= 400, `${name} was answered with ${call.status}`);
    const { files } = checks.only(name, failedFacts(call, stage.upstreamUrl, model, error, more));
    assert.match(files.get('traceback.txt') ?? '', /File ".+", line \d+/);
  }
});

test('a time-out is a failed run that lasted as long', () => {
  const call = stage.made.timeout;
  const message = messageIn(checks.event('timeout', 'failure'));
  assert.match(message, /^litellm\.Timeout: .*timeout value=1\.0/);
  const error = { type: 'timeout', class: 'Timeout', code: '408', message };
  const { run } = checks.only(
    'timeout',
    failedFacts(call, stage.upstreamUrl, 'gpt-4o-mini', error, { group: 'slow' }),
  );
  assert.ok((run.metrics['latency_ms'] ?? 0) >= 998);
});

test('a stream that breaks off fails, with the tokens that LiteLLM counted until then', () => {
  const call = stage.made.midStream;
  const event = checks.event('midStream', 'failure');
  const prompt = Number(event['prompt_tokens']);
  const completion = Number(event['completion_tokens']);
  assert.ok(prompt > 0 && completion > 0 && completion < 10);
  const usage = {
    promptTokens: prompt,
    completionTokens: completion,
    cachedTokens: 0,
    cacheWrittenTokens: 0,
    reasoningTokens: 0,
  };
  const error = { type: 'server_error', class: 'APIError', message: 'stream broke' };
  const { run } = checks.only('midStream', {
    ...failedFacts(call, stage.upstreamUrl, 'gpt-4o', error),
    metrics: {
      ...tokenMetrics(usage),
      cache_read_input_tokens: 0,
      cache_creation_input_tokens: 0,
      reasoning_tokens: 0,
      cost_usd: costOf('gpt-4o', usage) ?? Number.NaN,
    },
  });
  assert.ok((run.metrics['time_to_first_token_ms'] ?? 0) >= 98, 'it was held back for 100 ms');
});

test('a retry that succeeds is two runs of one request', () => {
  const [failed, succeeded] = checks.two('retried', serverError, {
    failed: ['gpt-4o-mini', 'flaky'],
    succeeded: ['gpt-4o-mini', 'flaky'],
  });
  assert.equal(succeeded.run.metrics['retries'], 1);
  assert.equal('retries' in failed.run.metrics, false);
});

test('a fallback is two runs of one request, each under the group that served it', () => {
  checks.two('fallback', overloaded, {
    failed: ['gpt-4o', 'primary'],
    succeeded: ['gpt-4o-mini', 'gpt-4o-mini'],
  });
});

test('what LiteLLM refuses itself has no endpoint, and no model where none was known', () => {
  for (const { name, error, more } of ownRefusals) {
    assert.ok(stage.made[name].status >= 400);
    checks.only(name, refusedFacts(checks.call(name), error, more));
  }
  const [filed] = checks.runs('noModel');
  assert.ok(filed !== undefined && !('model' in filed.run.tags) && !('model' in filed.run.params));
});

test('the tag of a long error message ends after 500 characters, the record does not', () => {
  const message = messageIn(checks.event('longError', 'failure'));
  assert.ok(message.length > 600);
  const model = `no-such-model-${'x'.repeat(600)}`;
  const [filed] = checks.runs('longError');
  assert.equal(filed?.run.tags['error_message'], message.slice(0, 500));
  assert.equal(filed?.run.tags['model'], model);
  assert.equal(filed?.run.runName, model.slice(0, 250));
  const context = recordOf(checks.file('longError')['context']);
  assert.equal(recordOf(context['error_information'])['error_message'], message);
});

test('no secret of a client or of the proxy is in a run, in the journal or in the log', () => {
  checks.chat('secrets', 'gpt-4o-mini');
  const metadata = recordOf(recordOf(checks.file('secrets')['context'])['metadata']);
  const { headers, api_key: apiKey } = recordOf(metadata['requester_metadata']);
  assert.equal(recordOf(headers)['x-amz-security-token'], '***', 'it was sent, and masked');
  assert.equal(apiKey, '***');

  const written = [
    ...stage.runs.map(({ run, files }) => JSON.stringify([run, [...files]])),
    ...filesUnder(stage.sidecar.dir).map((file) => readFileSync(file, 'latin1')),
  ];
  assert.ok(written.length > stage.runs.length, 'the journal was looked at');
  const secrets = [
    ...Object.keys(keys),
    ...Object.values(clientSecrets),
    ...['sk-fake', 'sk-nobody-knows', stage.token],
  ];
  for (const secret of secrets) {
    const found = written.find((text) => text.includes(secret));
    assert.equal(found?.slice(0, 300), undefined, `${secret} was written down`);
  }
  const log = readFileSync(stage.sidecar.logFile, 'utf8');
  for (const { prompt, upstream } of Object.values(stage.made)) {
    assert.ok(prompt === '' || !log.includes(prompt), `the log quotes: ${prompt}`);
    for (const { answer = '-' } of upstream) assert.ok(answer === '-' || !log.includes(answer));
  }
});

test('a batch that is posted again adds no run', async () => {
  for (const body of stage.tap.bodies) {
    const answer = await fetch(stage.sidecar.eventsUrl, {
      method: 'POST',
      headers: { authorization: stage.token, 'content-type': 'application/json' },
      body,
    });
    assert.equal(answer.status, 200);
    const { received, accepted, duplicates, rejected } = recordOf(await answer.json());
    assert.ok(Number(received) > 0);
    assert.deepEqual([accepted, duplicates, rejected], [0, received, []]);
  }
  await stage.sidecar.drained();
  const byId = (runs: readonly FiledRun[]) =>
    new Map(runs.map((filed) => [filed.run.runId, filed]));
  assert.deepEqual(byId(await stage.read()), byId(stage.runs));
});

function filesUnder(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
