import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { startEventRecorder } from '../support/event-recorder.ts';
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream.ts';
import { litellmClient } from '../support/litellm-client.ts';
import { startLitellm } from '../support/litellm-proxy.ts';
import { startMinimalMlflow } from '../support/minimal-mlflow.ts';
import { runProgram } from '../support/run-program.ts';
import { serverEnvironment } from '../support/server-environment.ts';
import { startSidecar } from '../support/sidecar.ts';
import { listOf, recordOf } from '../support/upstream-request.ts';
import { waitUntil } from '../support/wait-until.ts';

/*
 * Configurations of several shapes go through `litellm configure`; a real LiteLLM Proxy starts with what
 * comes out, and its calls arrive.
 */

const masterKey = 'sk-of-the-configured-proxy';
const token = 'token-of-the-sidecar';
let upstream: FakeUpstream;

before(async () => {
  upstream = await startFakeUpstream();
});
after(() => upstream?.close());

const general = `general_settings:\n  master_key: ${masterKey}\n`;

function models(): string {
  return `model_list:
  - model_name: gpt # cheap
    litellm_params: &openai
      model: openai/gpt-4o-mini
      api_base: ${upstream.url}/v1
      api_key: sk-fake
  - model_name: claude
    litellm_params:
      model: anthropic/claude-sonnet-4-5-20250929
      api_base: ${upstream.url}
      api_key: sk-fake
  - model_name: same
    litellm_params:
      <<: *openai
`;
}

const handler = `from litellm.integrations.custom_logger import CustomLogger
handler = CustomLogger()
`;

const shapes: Readonly<Record<string, () => string>> = {
  'no section of settings': () => `${models()}${general}`,
  'a callback of its own as a text, and line ends of Windows': () =>
    `${models()}${general}litellm_settings:\n  callbacks: own_callback.handler # ours\n`.replaceAll(
      '\n',
      '\r\n',
    ),
  'a list that is not indented, and empty sections': () =>
    `litellm_settings:\n  drop_params: true\n  callbacks:\n  - own_callback.handler\n  # - langfuse\ncallback_settings:\n${models()}${general}`,
  'the callback in two lists, without retries and headers': () =>
    `${models()}${general}litellm_settings:\n  callbacks: [sidecar]\n  success_callback: [sidecar]\n  failure_callback:\n    - sidecar\ncallback_settings:\n  sidecar:\n    callback_type: generic_api\n    endpoint: os.environ/SIDECAR_EVENTS_URL\n`,
  'a token behind Bearer': () =>
    `${models()}${general}litellm_settings: { callbacks: [sidecar] }\ncallback_settings:\n  sidecar: { callback_type: generic_api, endpoint: os.environ/SIDECAR_EVENTS_URL, headers: { Authorization: Bearer os.environ/SIDECAR_AUTH_TOKEN } }\n`,
};

/** Runs `litellm configure` on a file. */
async function configureFile(file: string, settings: string): Promise<void> {
  const own = join(dirname(file), 'sidecar.yaml');
  writeFileSync(own, settings);
  const words = ['--import', 'tsx', 'src/main.ts', 'litellm', 'configure', file];
  const run = (...more: string[]) =>
    runProgram(process.execPath, [...words, ...more], {
      env: serverEnvironment(undefined, { SIDECAR_CONFIG: own }),
    });
  const { code, output } = await run('--yes');
  assert.equal(code, 0, output);
  const checked = await run('--check');
  assert.equal(checked.code, 0, checked.output);
}

/** A proxy with a configuration that was configured. */
async function startConfigured(
  t: TestContext,
  { text, eventsUrl, settings = '' }: { text: string; eventsUrl: string; settings?: string },
) {
  const proxy = await startLitellm({
    upstreamUrl: upstream.url,
    eventsUrl,
    token,
    env: { SIDECAR_EVENTS_URL: eventsUrl },
    rewrite: async (file) => {
      writeFileSync(file, text);
      writeFileSync(join(dirname(file), 'own_callback.py'), handler);
      await configureFile(file, settings);
    },
  });
  t.after(() => proxy.close());
  return litellmClient(proxy.url, masterKey);
}

for (const [shape, text] of Object.entries(shapes)) {
  test(`LiteLLM starts and posts its calls, once each, after: ${shape}`, {
    timeout: 200_000,
  }, async (t) => {
    const recorder = await startEventRecorder();
    t.after(() => recorder.close());
    const client = await startConfigured(t, { text: text(), eventsUrl: recorder.eventsUrl });
    const answered = await client.chat('gpt', 'Hello', { metadata: { session_id: 'one-session' } });
    const failed = await client.chat('no-such-model', 'Hello');
    assert.deepEqual([answered.status, failed.status], [200, 400]);
    await recorder.waitFor(2);
    assert.deepEqual(
      recorder.events.map(({ litellm_call_id, status }) => [litellm_call_id, status]).sort(),
      [
        [answered.callId, 'success'],
        [failed.callId, 'failure'],
      ].sort(),
    );
    assert.ok(recorder.events.some(({ session_id }) => session_id === 'one-session'));
    assert.equal(recorder.authorization(), token);
  });
}

const caching = `litellm:
  cache: on
  cacheTtl: 5m
  cacheCallTypes: [acompletion]
  cacheNamespace: of-the-test
  promptCache: on
  promptCacheModels: [claude]
  promptCachePoints: [{ location: message, role: system }, { location: message, index: -1 }]
  promptCacheMinTokens: 512
`;

test('with caching on, the second call is a hit and recorded as one, and prompts are marked', {
  timeout: 200_000,
}, async (t) => {
  const mlflow = await startMinimalMlflow(t);
  const sidecar = await startSidecar({ trackingUri: mlflow.url, token });
  t.after(() => sidecar.close());
  const text = `${models()}${general}`;
  const client = await startConfigured(t, {
    text,
    eventsUrl: sidecar.eventsUrl,
    settings: caching,
  });

  const first = await client.chat('gpt', 'What is cached?');
  const asked = upstream.records.length;
  const second = await client.chat('gpt', 'What is cached?');
  assert.deepEqual([first.status, second.status], [200, 200]);
  assert.equal(upstream.records.length, asked, 'the upstream was not asked again');

  const system = { role: 'system', content: 'You answer in rhymes.' };
  const marked = await client.call('/v1/chat/completions', {
    model: 'claude',
    messages: [system, { role: 'user', content: 'A long question' }],
  });
  assert.equal(marked.status, 200, marked.text);
  const body = upstream.records.at(-1)?.body ?? {};
  const mark = { type: 'ephemeral' };
  assert.deepEqual(
    listOf(body['system']).map((part) => recordOf(part)['cache_control']),
    [mark],
  );
  const lastPart = listOf(recordOf(listOf(body['messages']).at(-1))['content']).at(-1);
  assert.deepEqual(recordOf(lastPart)['cache_control'], mark);
  const plain = upstream.records.find((record) => record.text === 'What is cached?');
  assert.doesNotMatch(JSON.stringify(plain?.body), /cache_control/, 'gpt was not chosen');

  const finished = () => [...mlflow.runs.values()].filter((run) => run.status === 'FINISHED');
  await waitUntil(() => finished().length >= 3 || undefined, {
    what: 'three runs',
    withinMs: 30_000,
  });
  const runOf = (id: string | undefined) =>
    finished().find((run) => run.tags.get('request_id') === id);
  assert.equal(runOf(first.callId)?.metrics.get('cache_hit'), 0);
  const hit = runOf(second.callId);
  assert.equal(hit?.metrics.get('cache_hit'), 1);
  assert.equal(hit?.tags.get('cache_hit'), 'true');
  assert.equal(hit?.metrics.get('cost_usd'), 0);
});

test('the configuration of the compose file needs nothing more', async () => {
  const file = 'config/litellm.yaml';
  const before = readFileSync(file, 'utf8');
  const words = ['--import', 'tsx', 'src/main.ts', 'litellm', 'configure', '--check', file];
  const { code, output } = await runProgram(process.execPath, words, {
    env: serverEnvironment(undefined, {}),
  });
  assert.deepEqual([code, output], [0, `${file}: nothing is wrong.\n`]);
  assert.equal(readFileSync(file, 'utf8'), before);
});
