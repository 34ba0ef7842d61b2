import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { readChunks } from '../support/chunk-reader.ts';
import { litellmEvent } from '../support/litellm-event.ts';
import { type MlflowRun, mlflowReader } from '../support/mlflow-reader.ts';
import { postEvents } from '../support/post-events.ts';
import {
  type ManagedMlflow,
  type SagemakerStack,
  startManagedMlflow,
  startSagemakerStack,
} from '../support/sagemaker-stack.ts';
import { type Sidecar, startSidecar } from '../support/sidecar.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { failedEvent } from '../support/usage-journal.ts';
import { untilUsageHas, usageSums } from '../support/usage-sums.ts';
import { waitUntil } from '../support/wait-until.ts';

/** ECONOMY_LONG: for minutes, with times. The short form asserts counts alone. */
const isLong = process.env['ECONOMY_LONG'] !== undefined;

/** A small tracking server: 25 requests a second, of which 15 are the sidecar's; a run takes three. */
const rate = { perSecond: 25, burst: 50 };
const runsPerSecond = 5;

const models = ['gpt-4o', 'claude', 'mistral'];
const users = ['ada', 'grace', 'linus', 'ken', 'barbara'];

interface Stage {
  sidecar: Sidecar;
  stack: SagemakerStack;
  experiment: string;
  /** Requests to MLflow so far, refused ones included. */
  requests(): number;
  metric(name: string): Promise<number>;
}

describe('through an edge that lets 25 requests a second pass', { timeout: 2_400_000 }, () => {
  let mlflow: ManagedMlflow;
  before(async () => {
    mlflow = await startManagedMlflow();
  });
  after(() => mlflow.close());

  async function start(t: TestContext, name: string, record: string): Promise<Stage> {
    const stack = await startSagemakerStack({ url: mlflow.url, moto: mlflow.moto, rate });
    t.after(stack.close);
    const config = join(tempFolder(t), 'sidecar.yaml');
    writeFileSync(config, `record: ${record}\n`);
    const experiment = `/${name}`;
    const sidecar = await startSidecar({
      trackingUri: stack.arn,
      experiment,
      env: {
        ...stack.environment,
        ...{ SIDECAR_CONFIG: config, SIDECAR_USAGE_INTERVAL: '1', SIDECAR_RECORD_RUNS: 'auto' },
        ...{
          SIDECAR_RECORD_USAGE: 'on',
          SIDECAR_RECORD_CALLS: 'on',
          SIDECAR_RECORD_TRACES: 'auto',
        },
      },
    });
    t.after(() => sidecar.close());
    return {
      ...{ sidecar, stack, experiment },
      requests: () => stack.edge.requests.length,
      metric: async (metric) => (await sidecar.metrics())[`litellm_mlflow_${metric}`] ?? 0,
    };
  }

  const reader = () => mlflowReader(mlflow.url);

  it(`four calls a second each have their run${isLong ? ' within 15 s' : ''}`, async (t) => {
    const stage = await start(t, 'steady', '{}');
    const { lag } = await post(stage, { perSecond: 4, seconds: isLong ? 120 : 10 }, (number) =>
      litellmEvent(number),
    );
    await untilRunsAreMade(stage);
    const posted = 4 * (isLong ? 120 : 10);
    assert.equal(await stage.metric('runs_complete_total'), posted);
    assert.equal(await stage.metric('run_sample_rate'), 1);
    if (isLong) assert.ok(lag < 15, `${lag} s behind`);
    t.diagnostic(`${lag.toFixed(1)} s behind at the most`);
  });

  it('a newcomer’s 500 calls in ten seconds all get their run', async (t) => {
    const calls = isLong ? 500 : 100;
    const stage = await start(t, 'newcomer', '{}');
    await post(stage, { perSecond: calls / 10, seconds: 10 }, (number) => litellmEvent(number));
    await untilRunsAreMade(stage);
    assert.equal(await stage.metric('runs_complete_total'), calls);
  });

  const floods = [
    { name: '200 calls a second', perSecond: 200, seconds: isLong ? 180 : 10, most: 0.13 },
    ...(isLong
      ? [{ name: '1,000 calls a second', perSecond: 1_000, seconds: 60, most: 0.13 }]
      : []),
  ];
  for (const { name, perSecond, seconds, most } of floods) {
    it(`of ${name} all are in chunks and usage, and as many as fit have a run`, async (t) => {
      const drain = isLong ? 60 : 5;
      const stage = await start(
        t,
        `flood-${perSecond}`,
        `{ maxDrain: ${drain}s, mark: { tags: [audit] } }`,
      );
      const calls = perSecond * seconds;
      const { waiting, lag } = await post(stage, { perSecond, seconds }, floodOf(perSecond));
      const kept = await reader().runs(stage.experiment);
      if (isLong) assertMarkedInTime(kept, perSecond, seconds);
      const noted = stage.requests();
      assert.ok(noted / calls < most, `${noted} requests for ${calls} calls`);
      assert.ok(waiting <= runsPerSecond * drain * 1.5 + perSecond, `${waiting} runs waiting`);

      const sums = usageSums(reader(), `${stage.experiment}/usage`);
      // An interval of usage, and of a chunk where calls are many, is a minute long.
      if (isLong) await Promise.all([untilUsageHas(sums, calls), untilInChunks(stage)]);
      await untilRunsAreMade(stage);
      // A stop sends what the intervals hold as yet.
      await stage.sidecar.stop();
      const runs = await reader().runs(stage.experiment);
      assert.equal(runs.filter(isMarked).length, Math.ceil(calls / perSecond), 'all marked calls');
      assertEven(runs, calls);
      assertQuota(runs, seconds, isLong);
      assert.deepEqual([await sums('requests'), await sums('failures')], [calls, calls / 10]);
      const { tables, archive, chunks } = await readChunks(reader(), `${stage.experiment}/calls`);
      for (const counts of [tables, archive]) {
        assert.equal(counts.size, calls);
        assert.ok([...counts.values()].every((count) => count === 1));
      }
      await stage.sidecar.start();
      assert.equal(await stage.metric('bodies_shed_total'), 0);
      assert.equal(await stage.metric('calls_accepted_total'), calls);
      t.diagnostic(
        `${(noted / calls).toFixed(3)} requests a call, ${runs.length} runs, ${chunks} chunks, ${waiting} runs waiting and ${lag.toFixed(0)} s behind at the most`,
      );
    });
  }

  it('a flood of failures leaves marked calls their minute', async (t) => {
    const seconds = isLong ? 600 : 10;
    const stage = await start(t, 'failures', '{ maxDrain: 1m, mark: { tags: [audit] } }');
    await post(stage, { perSecond: 100, seconds }, (number) =>
      number % 100 === 0
        ? litellmEvent(number, { request_tags: ['audit'] })
        : failedEvent(number, { model_group: models[number % 3] }),
    );
    if (isLong) assertMarkedInTime(await reader().runs(stage.experiment), 100, seconds);
    await untilRunsAreMade(stage);
    const runs = await reader().runs(stage.experiment);
    assert.equal(runs.filter(isMarked).length, seconds);
    assertQuota(runs, seconds, true);
  });
});

/**
 * Twenty failures a minute of each of the three models have a run, in one minute more than there were.
 *
 * @param isRoom All that may have one can be sent within `record.maxDrain`.
 */
function assertQuota(runs: readonly MlflowRun[], seconds: number, isRoom: boolean): void {
  const failures = runs.filter(({ status }) => status === 'FAILED').length;
  const quota = models.length * 20;
  const words = `${failures} failures have a run`;
  assert.ok(failures <= quota * (Math.ceil(seconds / 60) + 1), words);
  if (isRoom) assert.ok(failures >= quota * Math.max(1, Math.floor(seconds / 60)), words);
}

/** No call waits for its chunk any more. */
async function untilInChunks({ metric }: Stage): Promise<void> {
  const look = async () => (await metric('detail_pending{for="chunk"}')) === 0 || undefined;
  await waitUntil(look, { what: 'all calls to be in chunks', withinMs: 120_000, everyMs: 1_000 });
}

/** A tenth fails; one a second is marked; models and users take turns by chance. */
function floodOf(perSecond: number) {
  return (number: number) => {
    const who = {
      model_group: models[hash(number, 1) % models.length],
      metadata: { user_api_key_user_id: users[hash(number, 2) % users.length] },
    };
    if (number % perSecond === 0) return litellmEvent(number, { ...who, request_tags: ['audit'] });
    return number % 10 === 5 ? failedEvent(number, who) : litellmEvent(number, who);
  };
}

function hash(number: number, salt: number): number {
  return Math.imul(number ^ (salt * 0x9e3779b9), 0x85ebca6b) >>> 16;
}

const isMarked = ({ tags }: MlflowRun) => tags['label.audit'] === 'true';

/** Posts twice a second; watches how many runs wait, and for how long, at the most. */
async function post(
  { sidecar, metric }: Stage,
  { perSecond, seconds }: { perSecond: number; seconds: number },
  eventOf: (number: number) => unknown,
): Promise<{ waiting: number; lag: number }> {
  const began = performance.now();
  let number = 0;
  let waiting = 0;
  let lag = 0;
  for (let half = 1; half <= 2 * seconds; half += 1) {
    const events: unknown[] = [];
    while (number < (half * perSecond) / 2) events.push(eventOf(number++));
    await postEvents(sidecar.eventsUrl, events);
    waiting = Math.max(waiting, await metric('detail_pending{for="run"}'));
    lag = Math.max(lag, await metric('oldest_pending_age_seconds'));
    await pause(Math.max(0, began + half * 500 - performance.now()));
  }
  return { waiting, lag };
}

async function untilRunsAreMade({ metric }: Stage): Promise<void> {
  await waitUntil(
    async () => ((await metric('detail_pending{for="run"}')) === 0 ? true : undefined),
    { what: 'all runs to be made', withinMs: 300_000, everyMs: 500 },
  );
}

/** Marked calls that came more than a minute before the end have their run by then. */
function assertMarkedInTime(runs: readonly MlflowRun[], perSecond: number, seconds: number): void {
  const complete = new Set(
    runs
      .filter((run) => isMarked(run) && run.status === 'FINISHED')
      .map(({ tags }) => tags['request_id']),
  );
  for (let second = 0; second < seconds - 60; second += 1) {
    assert.ok(complete.has(`call-${second * perSecond}`), `the marked call of second ${second}`);
  }
}

/** Chance has chosen among all successes alike: chi-square over models and users. */
function assertEven(runs: readonly MlflowRun[], calls: number): void {
  const expected = new Map<string, number>();
  const chosen = new Map<string, number>();
  const count = (counts: Map<string, number>, model: unknown, user: unknown) =>
    counts.set(`${model} ${user}`, (counts.get(`${model} ${user}`) ?? 0) + 1);
  for (let number = 0; number < calls; number += 1) {
    if (number % 10 === 5) continue;
    const [model, user] = [models[hash(number, 1) % 3], users[hash(number, 2) % 5]];
    count(expected, model, user);
  }
  const sampled = runs.filter((run) => run.status === 'FINISHED' && !isMarked(run));
  for (const { tags } of sampled) count(chosen, tags['model_group'], tags['user_id']);
  const all = [...expected.values()].reduce((sum, number) => sum + number, 0);
  let chiSquare = 0;
  for (const [kind, number] of expected) {
    const due = (number / all) * sampled.length;
    chiSquare += ((chosen.get(kind) ?? 0) - due) ** 2 / due;
  }
  // 14 degrees of freedom: beyond 36.1 with a probability of 0.001.
  assert.ok(chiSquare < 36.1, `chi-square ${chiSquare} of ${sampled.length} runs`);
}
