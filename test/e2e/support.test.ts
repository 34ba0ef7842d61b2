import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type EventRecorder, startEventRecorder } from '../support/event-recorder.ts';
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream.ts';
import { litellmClient } from '../support/litellm-client.ts';
import { type LitellmProxy, startLitellm } from '../support/litellm-proxy.ts';
import { mlflowReader } from '../support/mlflow-reader.ts';
import { startMlflow } from '../support/mlflow-server.ts';
import { litellmPins, mlflowPins, pythonEnv } from '../support/python-env.ts';
import { recordOf } from '../support/upstream-request.ts';

let upstream: FakeUpstream;
let recorder: EventRecorder;
let litellm: LitellmProxy;

before(
  async () => {
    await Promise.all([pythonEnv(mlflowPins), pythonEnv(litellmPins)]);
    upstream = await startFakeUpstream();
    recorder = await startEventRecorder();
    litellm = await startLitellm({
      upstreamUrl: upstream.url,
      eventsUrl: recorder.eventsUrl,
      token: 'a-token',
    });
  },
  { timeout: 600_000 },
);

after(async () => {
  await litellm?.close();
  await recorder?.close();
  await upstream?.close();
});

test('LiteLLM logs each call with the usage that the upstream reported', async () => {
  const client = litellmClient(litellm.url, 'sk-cho');
  const calls = [
    await client.chat('gpt-4o', 'plain fake:cached=64'),
    await client.chat('gpt-4o-mini', 'streamed fake:delay=50', { stream: true }),
    await client.chat('o3-mini', 'reasoned'),
    await client.embed('text-embedding-3-small', 'embedded'),
    await client.message('claude', 'anthropic fake:cached=40 fake:cache-written=8'),
    await client.message('claude', 'anthropic streamed', { stream: true }),
  ];
  await recorder.waitFor(calls.length);
  assert.equal(recorder.authorization(), 'a-token');
  for (const [index, { status, callId }] of calls.entries()) {
    assert.equal(status, 200);
    const event = recordOf(recorder.events.find((each) => each['litellm_call_id'] === callId));
    const { usage } = upstream.records[index] ?? {};
    assert.deepEqual(
      [event['prompt_tokens'], event['completion_tokens']],
      [usage?.promptTokens, usage?.completionTokens],
    );
    const metadata = recordOf(event['metadata']);
    assert.equal(metadata['user_api_key_user_id'], 'user-51');
    assert.equal(metadata['user_api_key_team_alias'], 'search');
  }
});

test('faults reach the client and the log', async () => {
  const client = litellmClient(litellm.url, 'sk-ada');
  const before = recorder.events.length;
  const statuses = [
    (await client.chat('gpt-4o', 'a fake:rate-limit')).status,
    (await client.chat('slow', 'b')).status,
    (await client.chat('flaky', 'c')).status,
    (await client.chat('primary', 'd')).status,
    (await litellmClient(litellm.url, 'sk-nobody').chat('gpt-4o', 'e')).status,
  ];
  assert.deepEqual(statuses, [429, 408, 200, 200, 401]);
  await recorder.waitFor(before + 7);
  const outcomes = recorder.events.slice(before).map((event) => event['status']);
  assert.equal(outcomes.filter((status) => status === 'failure').length, 5);
  assert.equal(outcomes.filter((status) => status === 'success').length, 2);
});

test('MLflow keeps its data and its port over a restart', async (t) => {
  const mlflow = await startMlflow();
  t.after(() => mlflow.close());
  const created = await fetch(`${mlflow.url}/api/2.0/mlflow/experiments/create`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: '/kept' }),
  });
  assert.equal(created.status, 200);
  await mlflow.restart();
  const reader = mlflowReader(mlflow.url);
  assert.equal((await reader.experiment('/kept'))?.lifecycle, 'active');
  assert.deepEqual(await reader.runs('/kept', 'ALL'), []);
  assert.equal(await reader.experiment('/never'), undefined);
});
