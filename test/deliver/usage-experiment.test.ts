import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { litellmEvent } from '../support/litellm-event.ts';
import { type Fault, startMinimalMlflow } from '../support/minimal-mlflow.ts';
import { hour, minute } from '../support/usage-journal.ts';
import { interval, startUsageLine } from '../support/usage-line.ts';

const forbidden: Fault = { status: 403, body: { error_code: 'PERMISSION_DENIED', message: 'no' } };

async function setUp(t: TestContext, startsAt = 10 * hour) {
  const mlflow = await startMinimalMlflow(t);
  const line = startUsageLine(t, mlflow.url, {}, startsAt);
  await line.stop();
  const { own, clock } = line;

  /** Sends into an experiment, from a start to the stop after it. */
  const send = async (experiment: string, ms: number, url = mlflow.url) => {
    line.start(url, experiment);
    await line.pass(ms);
    await line.stop();
    assert.deepEqual(line.losses, []);
    own.reopen();
  };
  /** Takes a call of a team in. */
  const append = (number: number, team = 'payments') =>
    own.append(clock.now(), litellmEvent(number, { metadata: { user_api_key_team_alias: team } }));
  /** Each run of a day: what it is of, where it is, and below what. */
  const runs = (day = '2026-11-24') =>
    [...mlflow.runs.values()]
      .filter(({ tags }) => tags.get('usage.day') === day)
      .map(({ tags, experimentId }) => {
        const name = [...mlflow.experiments].find(([, { id }]) => id === experimentId)?.[0];
        const parent = mlflow.runs.get(tags.get('mlflow.parentRunId') ?? '');
        return {
          of: tags.get('usage.team') ?? tags.get('usage.model') ?? 'all',
          in: name,
          ...(parent && { isBeside: parent.experimentId === experimentId }),
        };
      });
  return { mlflow, own, clock, send, append, runs };
}

const onCreate = (fault: Fault) => (request: string) =>
  request === 'runs/create' ? fault : undefined;
const never = () => undefined;

test('series that come after another experiment was set stay with the run of their day', async (t) => {
  const { send, append, runs } = await setUp(t, 23 * hour);
  append(1);
  await send('/a/usage', interval);
  append(2, 'search');
  await send('/b/usage', interval);
  assert.deepEqual(runs(), [
    { of: 'all', in: '/a/usage' },
    { of: 'gpt-4o-mini', in: '/a/usage', isBeside: true },
    { of: 'payments', in: '/a/usage', isBeside: true },
    { of: 'search', in: '/a/usage', isBeside: true },
  ]);
  await send('/b/usage', hour);
  append(3);
  await send('/b/usage', interval);
  assert.deepEqual(
    runs('2026-11-25').map((run) => run.in),
    ['/b/usage', '/b/usage', '/b/usage'],
    'the next day begins there',
  );
});

test("a day's create without an answer is looked for, and sent again, where it was begun", async (t) => {
  const { mlflow, send, append, runs } = await setUp(t);
  mlflow.fault = onCreate('drop_before');
  append(1);
  await send('/a/usage', interval);
  mlflow.fault = never;
  await send('/b/usage', 5 * minute);
  assert.deepEqual(
    runs().map((run) => run.in),
    ['/a/usage', '/a/usage', '/a/usage'],
  );
});

test('a run of a day that is found again binds its series to where it was found', async (t) => {
  const { mlflow, send, append, runs } = await setUp(t);
  let isLost = false;
  mlflow.fault = (request) => {
    if (isLost) return { status: 503 };
    isLost = request === 'runs/create';
    return isLost ? 'drop_after' : undefined;
  };
  append(1);
  await send('/a/usage', interval);
  mlflow.fault = never;
  await send('/b/usage', 5 * minute);
  assert.ok(runs().length === 3 && runs().every((run) => run.in === '/a/usage'));
  assert.ok(!mlflow.experiments.has('/b/usage'), 'nothing is looked for there');
});

test('a create that was refused binds a day to no experiment', async (t) => {
  const { mlflow, send, append, runs } = await setUp(t);
  mlflow.fault = onCreate(forbidden);
  append(1);
  await send('/a/usage', interval);
  mlflow.fault = never;
  await send('/b/usage', 2 * minute);
  assert.ok(runs().length === 3 && runs().every((run) => run.in === '/b/usage'));
});

test('an experiment that may not be searched any more is left by a day without a run', async (t) => {
  const { mlflow, send, append, runs } = await setUp(t);
  mlflow.fault = onCreate('drop_before');
  append(1);
  await send('/a/usage', interval);
  const ofA = [mlflow.experiments.get('/a/usage')?.id];
  mlflow.fault = (_, body) =>
    JSON.stringify(body).includes(`"experiment_ids":${JSON.stringify(ofA)}`)
      ? forbidden
      : undefined;
  await send('/b/usage', 6 * minute);
  assert.ok(runs().length === 3 && runs().every((run) => run.in === '/b/usage'));
});

test('the series of a day of which nobody kept where it was begun go to the experiment that is set', async (t) => {
  const { mlflow, own, send, append, runs } = await setUp(t);
  append(1);
  await send('/a/usage', interval);
  const day = { day: '2026-11-24', series: '', destination: mlflow.url };
  const [run] = mlflow.runs.keys();
  own.usage((usage) => usage.keepRun(day, { ...(run !== undefined && { runId: run }) }));
  append(2, 'search');
  await send('/b/usage', interval);
  assert.deepEqual(runs().at(-1), { of: 'search', in: '/b/usage', isBeside: false });
});

test('a server that knows nothing of a day gets it in the experiment that is set', async (t) => {
  const { mlflow, send, append, runs } = await setUp(t);
  const other = await startMinimalMlflow(t);
  append(1);
  await send('/a/usage', interval);
  await send('/b/usage', interval, other.url);
  assert.deepEqual([...other.experiments.keys()], ['/b/usage'], 'another one');
  await send('/a/usage', interval);
  mlflow.runs.clear();
  mlflow.experiments.clear();
  append(2);
  await send('/b/usage', interval);
  assert.deepEqual(runs().at(0), { of: 'all', in: '/b/usage' }, 'an empty one in its place');
});
