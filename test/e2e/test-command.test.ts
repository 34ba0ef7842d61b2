import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, type TestContext, test } from 'node:test';
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream.ts';
import { freePort } from '../support/free-port.ts';
import { listenLocally } from '../support/listen-locally.ts';
import { startLitellm } from '../support/litellm-proxy.ts';
import { mlflowReader } from '../support/mlflow-reader.ts';
import { type MlflowServer, startMlflow } from '../support/mlflow-server.ts';
import { runProgram } from '../support/run-program.ts';
import { serverEnvironment } from '../support/server-environment.ts';
import { type Sidecar, startSidecar } from '../support/sidecar.ts';

/* The commands `test` and `test --through-litellm`, with a real MLflow and a real LiteLLM Proxy. */

const token = 'token-of-the-sidecar';
let mlflow: MlflowServer;
let upstream: FakeUpstream;

before(
  async () => {
    [mlflow, upstream] = await Promise.all([startMlflow(), startFakeUpstream()]);
  },
  { timeout: 600_000 },
);
after(async () => {
  await mlflow?.close();
  await upstream?.close();
});

async function sidecarWith(
  t: TestContext,
  env: Record<string, string>,
  trackingUri = mlflow.url,
): Promise<Sidecar> {
  const sidecar = await startSidecar({ trackingUri, token, env });
  t.after(() => sidecar.close());
  return sidecar;
}

/** `litellm-mlflow test`, as it is run beside a sidecar. */
async function runTest(sidecar: { url: string }, words: string[] = [], env = {}) {
  const args = ['--import', 'tsx', 'src/main.ts', 'test', ...words];
  return runProgram(process.execPath, args, {
    env: serverEnvironment(undefined, {
      MLFLOW_TRACKING_URI: mlflow.url,
      SIDECAR_PORT: new URL(sidecar.url).port,
      SIDECAR_AUTH_TOKEN: token,
      ...env,
    }),
    withinMs: 120_000,
  });
}

interface Report {
  ok: boolean;
  steps: { name: string; ok: boolean; ms: number; detail: string }[];
  notes: string[];
}

function reportIn(output: string): Report {
  const report: Report = JSON.parse(output);
  return report;
}

for (const runs of ['auto', 'errors', 'all']) {
  test(`with record.runs: ${runs} a made call becomes a run, which is read back`, async (t) => {
    const sidecar = await sidecarWith(t, { SIDECAR_RECORD_RUNS: runs });
    const { code, output } = await runTest(sidecar);
    assert.equal(code, 0, output);
    const steps = output.trim().split('\n');
    assert.deepEqual(
      steps.map((line) => /^ok +(.+?) +\d+ ms /.exec(line)?.[1]),
      ['sidecar', 'posted', 'on disk', 'run made', 'read back'],
    );
    assert.match(
      output,
      /latency_ms 250, prompt_tokens 21, completion_tokens 7, total_tokens 28, status success, .*request_tags sidecar-test$/m,
    );
    const [, runId = ''] = /experiments\/\d+\/runs\/(\w+)/.exec(output) ?? [];
    const made = await mlflowReader(mlflow.url).runs('/litellm-monitoring');
    const run = made.find((one) => one.runId === runId);
    assert.equal(run?.tags['label.sidecar-test'], 'true');
    assert.match(run?.tags['request_id'] ?? '', /^sidecar-test-/);
  });
}

test('an experiment by a template is found', async (t) => {
  const env = { MLFLOW_EXPERIMENT_NAME: '/tried/{team_id}/{model_group}' };
  const { code, output } = await runTest(await sidecarWith(t, env), [], env);
  assert.equal(code, 0, output);
  assert.match(output, /run made .* in \/tried\/none\/sidecar-test: /);
});

test('where there are no runs, its trace is looked for, and said so', async (t) => {
  const sidecar = await sidecarWith(t, { SIDECAR_RECORD_RUNS: 'off', SIDECAR_RECORD_TRACES: 'on' });
  const { code, output } = await runTest(sidecar, ['--json']);
  assert.equal(code, 0, output);
  const { steps, notes } = reportIn(output);
  assert.deepEqual(
    steps.map(({ name }) => name),
    ['sidecar', 'posted', 'on disk', 'trace made'],
  );
  assert.match(steps.at(-1)?.detail ?? '', /^tr-[0-9a-f]{32}$/);
  assert.match(notes.join(), /record\.runs is off/);
});

test('where there are neither runs nor traces, it says what was checked instead', async (t) => {
  const sidecar = await sidecarWith(t, { SIDECAR_RECORD_RUNS: 'off' });
  const { code, output } = await runTest(sidecar);
  assert.equal(code, 0, output);
  assert.match(output, /record\.runs and record\.traces are off: .* is checked instead/);
  assert.match(output, /^ok +MLflow answers /m);
});

const failures: Record<
  string,
  { words?: string[]; env?: Record<string, string>; step: string; says: RegExp }
> = {
  'no sidecar': {
    words: ['--sidecar-url', 'http://127.0.0.1:9'],
    step: 'sidecar',
    says: /no sidecar answers at http:\/\/127\.0\.0\.1:9; start it .*\(ECONNREFUSED\)/,
  },
  'another token': {
    env: { SIDECAR_AUTH_TOKEN: 'another-token' },
    step: 'posted',
    says: /HTTP 401.* set SIDECAR_AUTH_TOKEN to it/,
  },
  'an MLflow that the sidecar does not record to': {
    env: { MLFLOW_EXPERIMENT_NAME: '/elsewhere' },
    words: ['--timeout', '3'],
    step: 'run made',
    says: /no run in \/elsewhere after 3 s: .* records elsewhere than these settings say/,
  },
  'no MLflow': {
    env: { MLFLOW_TRACKING_URI: 'http://127.0.0.1:9' },
    step: 'run made',
    says: /MLflow cannot be reached/,
  },
};

for (const [what, { words = [], env = {}, step, says }] of Object.entries(failures)) {
  test(`${what}: the step that fails says so, with exit code 1`, async (t) => {
    const { code, output } = await runTest(await sidecarWith(t, {}), words, env);
    assert.equal(code, 1, output);
    const last = output.trim().split('\n').at(-1) ?? '';
    assert.ok(last.startsWith(`FAILED  ${step} `), output);
    assert.match(last, says);
  });
}

test('what holds the sidecar up is said', async (t) => {
  const away = `http://127.0.0.1:${await freePort()}`;
  const sidecar = await sidecarWith(t, {}, away);
  const { code, output } = await runTest(sidecar, ['--timeout', '3', '--json']);
  assert.equal(code, 1);
  const { ok, steps } = reportIn(output);
  assert.equal(ok, false);
  assert.match(
    steps.at(-1)?.detail ?? '',
    /waits for a destination \(mlflow: unreachable, ECONNREFUSED/,
  );
});

test('a real request goes through LiteLLM, and is read back', { timeout: 200_000 }, async (t) => {
  const sidecar = await sidecarWith(t, { SIDECAR_RECORD_RUNS: 'errors' });
  const litellm = await startLitellm({
    upstreamUrl: upstream.url,
    eventsUrl: sidecar.eventsUrl,
    token,
  });
  t.after(() => litellm.close());
  const words = ['--through-litellm', '--litellm-url', litellm.url];
  const key = { LITELLM_MASTER_KEY: 'sk-ada' };

  const done = await runTest(sidecar, [...words, '--model', 'gpt-4o-mini', '--json'], key);
  assert.equal(done.code, 0, done.output);
  const { steps } = reportIn(done.output);
  assert.deepEqual(
    steps.map(({ name, ok }) => [name, ok]),
    ['sidecar', 'asked LiteLLM', 'posted by LiteLLM', 'run made', 'read back'].map((name) => [
      name,
      true,
    ]),
  );
  const { usage } = upstream.records.at(-1) ?? {};
  const back = steps.at(-1)?.detail ?? '';
  assert.match(
    back,
    new RegExp(
      `prompt_tokens ${usage?.promptTokens}, completion_tokens ${usage?.completionTokens},`,
    ),
  );

  const first = await runTest(sidecar, [...words, '--litellm-key', 'sk-bob']);
  assert.equal(first.code, 0, first.output);
  assert.match(first.output, /asked LiteLLM .* gpt-4o-mini at /);

  for (const [more, says] of [
    [['--model', 'no-such'], /HTTP 400 for no-such: .*name another model by --model/],
    [['--litellm-key', 'sk-nobody', '--model', 'gpt-4o'], /HTTP 40[01] .*/],
  ] as const) {
    const { code, output } = await runTest(sidecar, [...words, ...more], key);
    assert.equal(code, 1);
    assert.match(output, says);
    assert.match(output, /^FAILED {2}asked LiteLLM /m);
    assert.doesNotMatch(output, /sk-nobody/);
  }
});

test('a LiteLLM that posts nothing is told of, and what to look at', async (t) => {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'x-litellm-call-id': 'one' });
    response.end('{"usage":{}}');
  });
  const silent = await listenLocally(server);
  t.after(silent.close);
  const sidecar = await sidecarWith(t, {});
  const words = [
    '--through-litellm',
    '--litellm-url',
    silent.url,
    '--model',
    'm',
    '--timeout',
    '2',
  ];
  const { code, output } = await runTest(sidecar, words, { LITELLM_MASTER_KEY: 'sk-x' });
  assert.equal(code, 1);
  assert.match(
    output,
    /^FAILED {2}posted by LiteLLM .* within 2 s: "litellm configure --check FILE"/m,
  );
});

test('without a key for LiteLLM it is wrong usage; without a LiteLLM it says where it looked', async () => {
  const nowhere = { url: 'http://127.0.0.1:9' };
  const none = await runTest(nowhere, ['--through-litellm']);
  assert.deepEqual([none.code, /set LITELLM_MASTER_KEY/.test(none.output)], [64, true]);
});

test('a URL with a login is wrong usage, and is not printed', async () => {
  const nowhere = { url: 'http://127.0.0.1:9' };
  for (const words of [
    ['--sidecar-url', 'http://me:planted-password@127.0.0.1:9'],
    ['--through-litellm', '--litellm-key', 'k', '--litellm-url', 'http://me:planted-password@h'],
  ]) {
    const { code, output } = await runTest(nowhere, words);
    assert.equal(code, 64);
    assert.match(output, /-url must be a URL .* without a login/);
    assert.doesNotMatch(output, /planted-password/);
  }
});

test('a count of seconds that is none is wrong usage', async () => {
  const { code } = await runTest({ url: 'http://127.0.0.1:9' }, ['--timeout', 'long']);
  assert.equal(code, 64);
});
