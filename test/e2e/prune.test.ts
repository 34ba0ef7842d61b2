import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { z } from 'zod';
import { mlflowReader } from '../support/mlflow-reader.ts';
import { startMlflow } from '../support/mlflow-server.ts';
import { startOperatorEdge } from '../support/operator-edge.ts';
import { runProgram } from '../support/run-program.ts';
import { serverEnvironment } from '../support/server-environment.ts';
import { waitUntil } from '../support/wait-until.ts';

const program = ['--import', 'tsx', 'src/main.ts', 'prune'];
const dayMs = 86_400_000;

test('prune deletes the old runs and traces of calls, and nothing else', {
  timeout: 180_000,
}, async (t) => {
  const mlflow = await startMlflow();
  t.after(() => mlflow.close());
  const post = async (path: string, body: object) => {
    const response = await fetch(`${mlflow.url}/api/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    assert.equal(response.status, 200, await response.clone().text());
    return z.looseObject({ experiment_id: z.string().optional() }).parse(await response.json());
  };
  const now = Date.now();
  const addRun = (experimentId: string, daysAgo: number, record?: string) =>
    post('2.0/mlflow/runs/create', {
      experiment_id: experimentId,
      start_time: now - daysAgo * dayMs,
      tags: record === undefined ? [] : [{ key: 'sidecar.record', value: record }],
    });
  let traces = 0;
  const addTrace = (experimentId: string, daysAgo: number, tags: object) => {
    traces += 1;
    return post('3.0/mlflow/traces', {
      trace: {
        trace_info: {
          trace_id: `tr-${String(traces).padStart(32, '0')}`,
          trace_location: {
            type: 'MLFLOW_EXPERIMENT',
            mlflow_experiment: { experiment_id: experimentId },
          },
          request_time: new Date(now - daysAgo * dayMs).toISOString(),
          execution_duration: '1s',
          state: 'OK',
          trace_metadata: {},
          tags,
        },
      },
    });
  };
  const create = async (name: string): Promise<string> =>
    (await post('2.0/mlflow/experiments/create', { name })).experiment_id ?? '';

  const own = { 'sidecar.record': 'call' };
  const [a, b, beside] = [
    await create('/llm/a'),
    await create('/llm/b'),
    await create('/llm/usage'),
  ];
  await create('/llm-other');
  for (let index = 0; index < 12; index += 1) await addRun(a, 91 + index, 'call');
  await addRun(a, 89, 'call');
  await addRun(a, 100);
  await addRun(a, 100, 'chunk');
  for (let index = 0; index < 3; index += 1) await addRun(b, 120, 'call');
  await addRun(beside, 100, 'usage');
  await addTrace(a, 100, own);
  await addTrace(b, 100, own);
  await addTrace(a, 100, { whose: 'somebody else' });
  await addTrace(a, 10, own);

  const direct = { MLFLOW_TRACKING_URI: mlflow.url, MLFLOW_EXPERIMENT_NAME: '/llm/{team_id}' };
  const prune = (words: readonly string[], more: Readonly<Record<string, string>> = direct) =>
    runProgram(process.execPath, [...program, '--older-than', '90d', ...words], {
      env: serverEnvironment(undefined, more),
    });
  const reader = mlflowReader(mlflow.url);
  const left = async () => {
    const names = ['/llm/a', '/llm/b', '/llm/usage'];
    return Promise.all(names.map(async (name) => (await reader.runs(name)).length));
  };

  const dry = await prune(['--dry-run', '--traces', '--json', '--requests-per-second', '50']);
  assert.equal(dry.code, 0, dry.output);
  assert.partialDeepStrictEqual(JSON.parse(dry.output), { runs: 15, traces: 2, complete: true });
  assert.deepEqual(JSON.parse(dry.output).experiments.sort(), ['/llm/a', '/llm/b']);
  const unasked = await prune(['--requests-per-second', '50']);
  assert.equal(unasked.code, 64, unasked.output);
  assert.match(unasked.output, /Nobody can be asked here: say --yes, or --dry-run/);
  assert.deepEqual(await left(), [15, 3, 1]);

  const { edge, env } = await startOperatorEdge(t, mlflow.url, 'operator', 'operator-write');
  const onSagemaker = { ...env, MLFLOW_EXPERIMENT_NAME: '/llm/{team_id}' };
  const child = spawn(
    process.execPath,
    [...program, '--older-than', '90d', '--yes', '--requests-per-second', '4'],
    { env: serverEnvironment(undefined, onSagemaker), stdio: ['ignore', 'pipe', 'pipe'] },
  );
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const ended = once(child, 'close');
  const deletions = () => edge.requests.filter(({ path }) => path.includes('runs/delete'));
  await waitUntil(() => deletions().length >= 4 || undefined, {
    what: 'four deletions',
    withinMs: 30_000,
  });
  child.kill('SIGINT');
  const [code] = await ended;
  assert.equal(code, 1, output);
  assert.match(output, /Run it again to go on\./);
  const remaining = (await left()).reduce((sum, count) => sum + count);
  assert.ok(remaining > 4 && remaining <= 15, `${remaining} are left`);

  const before = edge.requests.length;
  const rest = await prune(['--yes', '--traces', '--requests-per-second', '10'], onSagemaker);
  assert.equal(rest.code, 0, rest.output);
  assert.match(rest.output, /Runs deleted: \d+\.\nTraces deleted, for good: 2\.\n/);
  assert.match(rest.output, /MLflow keeps what it deletes: .*SageMaker has no such thing/);
  assert.deepEqual(await left(), [3, 0, 1], 'a new one, and those of others');
  assert.equal((await reader.runs('/llm/b', 'ALL')).length, 3, 'deleted softly');
  const times = edge.requests.slice(before).map(({ at }) => at);
  const inASecond = times.map((at) => times.filter((t2) => t2 >= at && t2 < at + 1_000).length);
  assert.ok(Math.max(...inASecond) <= 21, `${Math.max(...inASecond)} requests in a second`);

  const again = await prune(['--yes', '--traces', '--json', '--requests-per-second', '50']);
  assert.deepEqual(JSON.parse(again.output), { runs: 0, traces: 0, refused: 0, complete: true });
  const all = await prune(['--yes', '--traces', 'all', '--json', '--requests-per-second', '50']);
  assert.partialDeepStrictEqual(JSON.parse(all.output.slice(all.output.indexOf('{\n'))), {
    traces: 1,
  });
  const denied = await startOperatorEdge(t, mlflow.url, 'operator');
  const refused = await prune(
    ['--yes', '--experiment', '/llm/a', '--older-than', '80d', '--requests-per-second', '50'],
    denied.env,
  );
  assert.equal(refused.code, 1);
  assert.match(refused.output, /may not do this: .*compare their policy with config\/iam/);
});
