import assert from 'node:assert/strict';
import { test } from 'node:test';
import { litellmEvent } from '../support/litellm-event.ts';
import {
  type MinimalMlflow,
  type MinimalRun,
  startMinimalMlflow,
} from '../support/minimal-mlflow.ts';
import { day0, hour, minute } from '../support/usage-journal.ts';
import { interval, startUsageLine } from '../support/usage-line.ts';

const day = 24 * hour;

function dayRun(mlflow: MinimalMlflow, name = '2026-11-24'): MinimalRun | undefined {
  return mlflow.runsOf('sidecar.record_id', `usage-${name}-j`)[0];
}

/** The values of a metric of a day, in their order. */
function values(mlflow: MinimalMlflow, metric = 'requests', name = '2026-11-24'): number[] {
  return (
    dayRun(mlflow, name)
      ?.history.get(metric)
      ?.map(({ value }) => value) ?? []
  );
}

const only = (request: string) => (name: string) => name === request;

test('each interval is one request to the run of its day', async (t) => {
  const mlflow = await startMinimalMlflow(t);
  const line = startUsageLine(t, mlflow.url, { by: [] });
  line.append(litellmEvent(1), litellmEvent(2));
  await line.pass(interval);
  assert.deepEqual(mlflow.requests, [
    ...['experiments/get-by-name', 'experiments/create'],
    ...['runs/search', 'runs/create', 'runs/log-batch'],
  ]);
  line.append(litellmEvent(3));
  await line.pass(10 * minute);
  assert.equal(mlflow.requests.length, 7);
  assert.deepEqual(values(mlflow), [2, 1, 0]);
  assert.deepEqual(values(mlflow, 'day/requests'), [2, 3, 3]);
  const [first] = dayRun(mlflow)?.history.get('requests') ?? [];
  assert.deepEqual(first, { value: 2, timestamp: day0 + 10 * hour + 5 * minute, step: 120 });
});

test('a flush sends the open interval, and what comes after it counts in the next', async (t) => {
  const mlflow = await startMinimalMlflow(t);
  const line = startUsageLine(t, mlflow.url, { by: [] });
  line.append(litellmEvent(1), litellmEvent(2));
  await Promise.all([line.flush(), line.flush()]);
  assert.deepEqual(values(mlflow), [2]);
  assert.equal(mlflow.created, 1);
  line.append(litellmEvent(3));
  await line.flush();
  assert.deepEqual(values(mlflow), [2]);
  await line.pass(11 * minute);
  assert.deepEqual(values(mlflow), [2, 1]);
});

test('models and teams have runs below that of the day, refreshed each hour, ended with it', async (t) => {
  const mlflow = await startMinimalMlflow(t);
  const line = startUsageLine(t, mlflow.url, {}, 21 * hour);
  line.append(litellmEvent(1));
  await line.pass(interval);
  const [team] = mlflow.runsOf('usage.team', 'payments');
  assert.equal(team?.tags.get('mlflow.parentRunId'), dayRun(mlflow)?.id);
  assert.equal(team?.metrics.get('requests'), 1);
  assert.equal(mlflow.runsOf('usage.model', 'gpt-4o-mini').length, 1);

  line.append(litellmEvent(2));
  await line.pass(30 * minute);
  assert.equal(team?.metrics.get('requests'), 1, 'not yet');
  await line.pass(35 * minute);
  assert.equal(team?.metrics.get('requests'), 2);
  line.append(litellmEvent(3));
  await line.pass(2 * hour);
  assert.equal(team?.metrics.get('requests'), 3);
  assert.equal(mlflow.runs.size, 3);
  for (const run of mlflow.runs.values()) {
    assert.deepEqual([run.status, run.endTime], ['FINISHED', day0 + day]);
  }
});

test('a run whose create was answered by nobody is found, and made once', async (t) => {
  const mlflow = await startMinimalMlflow(t);
  const line = startUsageLine(t, mlflow.url, { by: [] });
  mlflow.fault = (request) => (request === 'runs/create' ? 'drop_after' : undefined);
  line.append(litellmEvent(1));
  await line.pass(interval);
  await line.pass(3 * minute);
  assert.equal(mlflow.created, 1);
  assert.deepEqual(values(mlflow), [1]);
});

test('a create that may still act is not sent again for a minute and a half, over a restart, too', async (t) => {
  const mlflow = await startMinimalMlflow(t);
  const line = startUsageLine(t, mlflow.url, { by: [] });
  mlflow.fault = (request) => (request === 'runs/create' ? 'drop_before' : undefined);
  line.append(litellmEvent(1));
  await line.pass(5 * minute);
  await line.stop();
  line.start(mlflow.url);
  await line.pass(80_000);
  const creates = () => mlflow.requests.filter(only('runs/create')).length;
  assert.equal(creates(), 1);
  mlflow.fault = () => undefined;
  await line.pass(3 * minute);
  assert.equal(creates(), 2);
  assert.deepEqual(values(mlflow), [1]);
});

test('points whose answer was lost are sent again without harm', async (t) => {
  const mlflow = await startMinimalMlflow(t);
  const line = startUsageLine(t, mlflow.url, { by: [] });
  let lost = 0;
  mlflow.fault = (request) =>
    request === 'runs/log-batch' && lost++ < 2 ? 'drop_after' : undefined;
  line.append(litellmEvent(1));
  await line.pass(interval + 2 * minute);
  assert.equal(mlflow.requests.filter(only('runs/log-batch')).length, 3);
  assert.deepEqual(values(mlflow), [1]);
});

test('a server that was away gets every interval when it is back', async (t) => {
  const mlflow = await startMinimalMlflow(t);
  const line = startUsageLine(t, mlflow.url, { by: [] }, 20 * hour);
  mlflow.fault = () => ({ status: 503 });
  line.append(litellmEvent(1));
  await line.pass(2 * hour);
  line.append(litellmEvent(2));
  await line.pass(4 * hour);
  line.append(litellmEvent(3));
  assert.equal(line.held(), 'unavailable');
  const asked = mlflow.requests.length;
  assert.ok(asked < 6 * 60 * 2, `${asked} requests in six hours of hold`);
  mlflow.fault = () => undefined;
  await line.pass(10 * minute);
  assert.deepEqual(
    values(mlflow).filter((value) => value > 0),
    [1, 1],
  );
  assert.equal(values(mlflow).length, 25, 'until the last call of the day');
  assert.equal(dayRun(mlflow)?.status, 'FINISHED');
  assert.deepEqual(values(mlflow, 'requests', '2026-11-25').at(0), 1);
});

test('another destination is sent the day from its beginning', async (t) => {
  const [first, second] = [await startMinimalMlflow(t), await startMinimalMlflow(t)];
  const line = startUsageLine(t, first.url);
  line.append(litellmEvent(1));
  await line.pass(interval);
  await line.stop();
  line.start(second.url);
  line.append(litellmEvent(2));
  await line.pass(interval);
  assert.deepEqual(values(second), [1, 1]);
  assert.equal(second.runsOf('usage.team', 'payments').length, 1);
  await line.stop();
  line.start(first.url);
  await line.pass(interval);
  assert.deepEqual(values(first), [1, 1, 0], 'which finds its run when it is the one again');
  assert.equal(first.created, 3);
});
