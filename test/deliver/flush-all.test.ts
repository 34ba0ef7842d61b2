import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flushAll, type NotFlushed } from '../../src/deliver/flush-all.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { eventsFrom, litellmEvent } from '../support/litellm-event.ts';
import { type MinimalMlflow, startMinimalMlflow } from '../support/minimal-mlflow.ts';
import { hour, minute } from '../support/usage-journal.ts';
import { interval, startUsageLine, type UsageLine } from '../support/usage-line.ts';

/** Flushes a line's usage, by its clock; there are no chunks. */
async function flush(line: UsageLine, graceMs = 18_000): Promise<NotFlushed> {
  const { clock } = line;
  let left: NotFlushed | undefined;
  const flushing = flushAll(
    {
      chunks: { flush: async () => undefined },
      notInChunks: async () => 0,
      usage: line.usage(),
      intervalMs: 5 * minute,
      clock,
    },
    clock.now() + graceMs,
  ).then((result) => {
    left = result;
  });
  // The delivery's own look, the end of the time, and the next try: nobody works.
  while (left === undefined) {
    await new Promise(setImmediate);
    if (clock.sleeping() === 3) clock.advance(500);
  }
  await flushing;
  return left;
}

const nothing: NotFlushed = { calls: 0, usage: false };

/** What the day's run has of all calls, in sum, and the runs of its series in total. */
function requestsIn(mlflow: MinimalMlflow): { day: number; series: Record<string, number> } {
  let day = 0;
  const series: Record<string, number> = {};
  for (const { tags, metrics, history } of mlflow.runs.values()) {
    const name = tags.get('usage.team') ?? tags.get('usage.model');
    if (name !== undefined) series[name] = metrics.get('requests') ?? 0;
    else for (const { value } of history.get('requests') ?? []) day += value;
  }
  return { day, series };
}

/** Answers 502 to the first request of a name for a run whose tag has the value. */
function failOnce(mlflow: MinimalMlflow, name: string, tag = '', value?: string): void {
  let isOver = false;
  mlflow.fault = (request, body) => {
    if (isOver || request !== name) return undefined;
    const runId = typeof body === 'object' && body && 'run_id' in body ? String(body.run_id) : '';
    if (mlflow.runs.get(runId)?.tags.get(tag) !== value) return undefined;
    isOver = true;
    return { status: 502 };
  };
}

for (const [what, name] of [
  ['points', 'runs/log-batch'],
  ['a search', 'runs/search'],
] as const) {
  test(`a server that fails once over ${what} gets all usage, and each series its totals`, async (t) => {
    const mlflow = await startMinimalMlflow(t);
    const line = startUsageLine(t, mlflow.url);
    line.append(litellmEvent(1));
    if (name === 'runs/log-batch') await line.pass(interval);
    line.append(...eventsFrom(2, 50));
    failOnce(mlflow, name);
    assert.deepEqual(await flush(line), nothing);
    assert.deepEqual(requestsIn(mlflow), { day: 50, series: { payments: 50, 'gpt-4o-mini': 50 } });
  });
}

test('totals that fail are tried again, and the others sent once', async (t) => {
  const mlflow = await startMinimalMlflow(t);
  const line = startUsageLine(t, mlflow.url);
  line.append(litellmEvent(1));
  await line.pass(interval);
  line.append(...eventsFrom(2, 50));
  const before = mlflow.requests.length;
  failOnce(mlflow, 'runs/log-batch', 'usage.team', 'payments');
  assert.deepEqual(await flush(line), nothing);
  assert.deepEqual(requestsIn(mlflow), { day: 50, series: { payments: 50, 'gpt-4o-mini': 50 } });
  const sent = mlflow.requests.slice(before);
  assert.deepEqual(sent, Array(4).fill('runs/log-batch'), 'the day, a model, a team twice');
});

test('totals that failed before, and of which no call has come since, are sent, too', async (t) => {
  const mlflow = await startMinimalMlflow(t);
  const line = startUsageLine(t, mlflow.url);
  line.append(litellmEvent(1));
  mlflow.fault = (request, body) => {
    const isOfDay = JSON.stringify(body).includes('day/requests');
    return request === 'runs/log-batch' && !isOfDay ? { status: 502 } : undefined;
  };
  await line.pass(20 * minute);
  assert.deepEqual(requestsIn(mlflow).series, { payments: 0, 'gpt-4o-mini': 0 });
  mlflow.fault = () => undefined;
  assert.deepEqual(await flush(line), nothing);
  assert.deepEqual(requestsIn(mlflow).series, { payments: 1, 'gpt-4o-mini': 1 });
});

test('more series than the pace allows all have their totals', async (t) => {
  const mlflow = await startMinimalMlflow(t);
  const line = startUsageLine(t, mlflow.url, { by: ['team'] });
  const teams = Array.from({ length: 70 }, (_, number) => `team-${number}`);
  line.append(
    ...teams.map((team, number) =>
      litellmEvent(number, { metadata: { user_api_key_team_alias: team } }),
    ),
  );
  assert.deepEqual(await flush(line), nothing);
  assert.deepEqual(requestsIn(mlflow), {
    day: 70,
    series: Object.fromEntries(teams.map((team) => [team, 1])),
  });
});

test('a day that ends within the interval is ended, with its series', async (t) => {
  const mlflow = await startMinimalMlflow(t);
  const line = startUsageLine(t, mlflow.url, {}, 24 * hour - 2 * minute);
  line.append(litellmEvent(1));
  assert.deepEqual(await flush(line), nothing);
  assert.equal(mlflow.runs.size, 3);
  for (const { status } of mlflow.runs.values()) assert.equal(status, 'FINISHED');
});

test('a day that a person deleted does not keep the series from their totals', async (t) => {
  const mlflow = await startMinimalMlflow(t);
  const line = startUsageLine(t, mlflow.url);
  line.append(litellmEvent(1));
  await line.pass(interval);
  for (const run of mlflow.runs.values()) {
    if (!run.tags.has('mlflow.parentRunId')) run.deleted = true;
  }
  line.append(litellmEvent(2));
  assert.deepEqual(await flush(line), nothing);
  assert.deepEqual(requestsIn(mlflow).series, { payments: 2, 'gpt-4o-mini': 2 });
});

for (const [what, fault] of [
  ['holds', { status: 503 }],
  ['fails', { status: 502 }],
] as const) {
  test(`a server that ${what} until the time is over leaves usage, which is said`, async (t) => {
    const mlflow = await startMinimalMlflow(t);
    const line = startUsageLine(t, mlflow.url);
    line.append(litellmEvent(1));
    mlflow.fault = () => fault;
    const began = line.clock.now();
    assert.deepEqual(await flush(line), { calls: 0, usage: true });
    const took = line.clock.now() - began;
    assert.ok(took > 16_000 && took <= 18_000, `${took} ms`);
  });
}

test('chunks are sent until each call is in one; what hangs does not outlast the time', async () => {
  const clock = fakeClock();
  let tries = 0;
  const chunks = {
    flush: async () => {
      tries += 1;
    },
  };
  const parts = { chunks, usage: undefined, intervalMs: 5 * minute, clock };
  const pass = async <T>(flushing: Promise<T>): Promise<T> => {
    let isOver = false;
    const ended = flushing.finally(() => {
      isOver = true;
    });
    while (!isOver) {
      await new Promise(setImmediate);
      clock.advance(500);
    }
    return ended;
  };
  const notInChunks = async () => Math.max(0, 3 - tries);
  const deadline = clock.now() + 18_000;
  assert.deepEqual(await pass(flushAll({ ...parts, notInChunks }, deadline)), nothing);
  assert.equal(tries, 3);

  const hanging = { flush: () => new Promise<void>(() => undefined) };
  const began = clock.now();
  const left = await pass(
    flushAll({ ...parts, chunks: hanging, notInChunks: async () => 2 }, began + 18_000),
  );
  assert.deepEqual(left, { calls: 2, usage: false });
  assert.ok(clock.now() - began <= 19_000);
});
