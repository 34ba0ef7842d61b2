import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Front, type SuiteMlflow, startFront, startSuiteMlflow } from '../support/front.ts';
import { litellmEvent } from '../support/litellm-event.ts';
import { type MlflowReader, type MlflowRun, mlflowReader } from '../support/mlflow-reader.ts';
import { postEvents } from '../support/post-events.ts';
import { createRandom } from '../support/random.ts';
import { startSidecar } from '../support/sidecar.ts';
import { day0, failedEvent, hour, minute } from '../support/usage-journal.ts';
import { startUsageLine } from '../support/usage-line.ts';
import { untilUsageHas, usageSums } from '../support/usage-sums.ts';

const mlflow: SuiteMlflow = await startSuiteMlflow();
const front: Front = await startFront(mlflow);
after(async () => {
  await front.close();
  await mlflow.close();
});
const reader: MlflowReader = mlflowReader(mlflow.url);

const isDay = (run: MlflowRun) => /^usage \d{4}-\d\d-\d\d$/.test(run.runName);

test('what calls add up to is read back from MLflow: points, totals, runs below each other', {
  timeout: 240_000,
}, async (t) => {
  const line = startUsageLine(t, front.way, {}, 23 * hour + 40 * minute);
  const team = (name: string) => ({ metadata: { user_api_key_team_alias: name } });
  line.append(litellmEvent(1), litellmEvent(2, { cache_hit: true, saved_cache_cost: 0.5 }));
  line.append(failedEvent(3, { litellm_call_id: 'again' }));
  await line.pass(6 * minute);
  line.append(litellmEvent(4, { litellm_call_id: 'again', model_group: 'azure/gpt-4o (eu)' }));
  line.append(litellmEvent(5, team('支付')), litellmEvent(6, team('订单')));
  await line.pass(20 * minute);

  const runs = await reader.runs('/e/usage');
  const day = runs.find(isDay);
  assert.ok(day);
  assert.deepEqual(
    [day.runName, day.status, day.startTime, day.endTime],
    ['usage 2026-11-24', 'FINISHED', day0, day0 + 24 * hour],
  );
  assert.match(day.tags['mlflow.note.content'] ?? '', /LiteLLM estimates/);
  assert.deepEqual(
    (await reader.metricHistory(day.runId, 'requests')).map((point) => [point.step, point.value]),
    [
      [284, 3],
      [285, 2],
      [286, 0],
    ],
  );
  const { metrics } = day;
  assert.equal(metrics['day/requests'], 5);
  assert.equal(metrics['day/recovered'], 1);
  assert.equal(metrics['day/cache_hits'], 1);
  assert.equal(metrics['day/saved_cost_usd'], 0.5);
  assert.equal(metrics['errors/rate_limit'], 0);
  assert.equal(metrics['day/total_tokens'], 6 * 28);
  assert.ok(Math.abs((metrics['latency_ms_p50'] ?? 0) - 250) <= 2.5);

  const children = runs.filter((run) => run.tags['mlflow.parentRunId'] === day.runId);
  assert.deepEqual(
    children.map((run) => [run.runName, run.status, run.metrics['requests']]).sort(),
    [
      ['model azure/gpt-4o (eu)', 'FINISHED', 0],
      ['model gpt-4o-mini', 'FINISHED', 5],
      ['team payments', 'FINISHED', 3],
      ['team 支付', 'FINISHED', 1],
      ['team 订单', 'FINISHED', 1],
    ],
  );
  const teams = Object.keys(metrics).filter((name) => /^team\/__ .*\/requests$/.test(name));
  assert.equal(teams.length, 2, 'teams that MLflow could not tell apart');
});

test('sums are exact though the sidecar is killed again and again under load', {
  timeout: 300_000,
}, async (t) => {
  const sidecar = await startSidecar({
    trackingUri: front.trackingUri,
    experiment: '/killed',
    env: { ...front.environment, SIDECAR_RECORD_USAGE: 'on', SIDECAR_USAGE_INTERVAL: '1' },
  });
  t.after(() => sidecar.close());
  const random = createRandom(20_261_124);
  const posted = { requests: 0, failures: 0, recovered: 0, total_tokens: 0, cost_usd: 0 };
  const models = new Set<string>();

  const nextCall = (number: number) => {
    const [failed, model] = [random.chance(0.3), random.pick(['gpt-4o', 'claude', 'mistral'])];
    // Each second call has the id of the one before it.
    const id = `kill-${number >> 1}`;
    const tokens = random.between(0, 5_000);
    const cost = failed ? 0 : random.next();
    const changes = { litellm_call_id: id, model_group: model, response_cost: cost };
    posted.requests += 1;
    posted.total_tokens += tokens;
    posted.cost_usd += cost;
    if (failed) posted.failures += 1;
    else models.add(`model/${model}`);
    if (!failed && lastFailed === id) posted.recovered += 1;
    lastFailed = failed ? id : lastFailed;
    const usage = { total_tokens: tokens, prompt_tokens: tokens, completion_tokens: 0 };
    return failed
      ? failedEvent(number, { ...changes, ...usage })
      : litellmEvent(number, { ...changes, ...usage });
  };
  let lastFailed = '';
  let number = 0;
  const batch = (length: number) => Array.from({ length }, () => nextCall(number++));

  for (let kills = 0; kills < 4; kills += 1) {
    for (let posts = 0; posts < 5; posts += 1) {
      const events = batch(random.between(1, 30));
      await postEvents(sidecar.eventsUrl, events);
      if (random.chance(0.3)) await postEvents(sidecar.eventsUrl, events);
    }
    const underWay = postEvents(sidecar.eventsUrl, batch(50));
    await sidecar.kill();
    await sidecar.start();
    await underWay;
  }
  posted.requests -= posted.recovered;

  const sums = usageSums(reader, '/killed/usage');
  await untilUsageHas(sums, posted.requests);
  for (const [name, expected] of Object.entries(posted)) {
    const margin = name === 'cost_usd' ? 1e-9 * expected : 0;
    const found = await sums(`${name}`);
    assert.ok(Math.abs(found - expected) <= margin, `${name}: ${found}, not ${expected}`);
  }
  const byModel = [...models, 'model/(other)'].map(
    (name) => `${name.replace(/[()]/g, '_')}/failures`,
  );
  assert.equal(await sums(...byModel), posted.failures);
  assert.equal(await sums('errors/rate_limit'), posted.failures);
});
