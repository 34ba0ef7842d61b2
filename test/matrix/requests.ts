import assert from 'node:assert/strict';
import { it } from 'node:test';
import { firstOf, healthOf } from '../crash/stage.ts';
import { litellmEvent } from '../support/litellm-event.ts';
import { mlflowReader } from '../support/mlflow-reader.ts';
import { postEvents } from '../support/post-events.ts';
import type { EdgeRequest } from '../support/sagemaker-edge/edge.ts';
import { type SagemakerStack, serverName } from '../support/sagemaker-stack.ts';
import { waitUntil } from '../support/wait-until.ts';
import type { Release } from './release.ts';

const failure = litellmEvent(2, {
  status: 'failure',
  error_str: 'too slow',
  error_information: { error_class: 'Timeout', error_code: '408', traceback: 'File "a.py"' },
});

/** The longest way of a call, on which a run is deleted. */
export function lateCreate(release: Release): void {
  it('the second run of a create that acted after the last search is deleted', {
    timeout: 300_000,
  }, async (t) => {
    const { proxy, sidecar, post, runs } = await release.stage(t, { timeout: '1s' });
    const sentAgain = () =>
      waitUntil(() => proxy.named('runs/create')[1]?.status, {
        what: 'the create to be sent again',
        withinMs: 200_000,
      });
    proxy.harm(firstOf('runs/create', 1, { kind: 'act_late', until: sentAgain }));
    // The answer of the next request waits until the late create has acted.
    proxy.hook({
      acted: async ({ name }) => {
        if (name === 'runs/log-batch') await proxy.settled();
      },
    });
    await post(1, 1);
    await sidecar.drained(250_000);
    const ends = (await runs()).map(({ status, lifecycle }) => `${lifecycle} ${status}`);
    assert.deepEqual(ends.sort(), ['active FINISHED', 'deleted RUNNING']);
  });
}

/** Each request that a sidecar makes, through both kinds of SageMaker's MLflow. */
export function requests(release: Release): void {
  for (const kind of ['tracking-server', 'app'] as const) {
    it(`a call through the edge of the ${kind} costs three requests, its files go to S3`, async (t) => {
      const { sidecar, sagemaker, runs, metric } = await release.stage(t, { kind });
      await postEvents(sidecar.eventsUrl, [litellmEvent(1), failure]);
      await sidecar.drained();

      assert.deepEqual(asked(sagemaker.edge.requests), {
        'experiments/get-by-name 404': 1,
        'experiments/create 200': 1,
        'runs/create 200': 2,
        'runs/log-batch 200': 2,
        'runs/update 200': 2,
      });
      assert.equal(await metric('account_adds_up'), 1);
      const ended = (await runs()).map((run) => ({
        ...{
          status: run.status,
          error: run.tags['error_type'],
          tokens: run.metrics['total_tokens'],
        },
        ...{ temperature: run.params['temperature'], start: run.startTime, end: run.endTime },
      }));
      const rest = { tokens: 28, temperature: '0.5' };
      assert.deepEqual(
        ended.sort((one, other) => one.start - other.start),
        [
          { ...rest, status: 'FINISHED', error: undefined, ...times(litellmEvent(1)) },
          { ...rest, status: 'FAILED', error: 'timeout', ...times(failure) },
        ],
      );

      const objects = await release.files(await runs());
      assert.deepEqual([...objects.keys()].sort(), [
        '1 call.json',
        '2 call.json',
        '2 traceback.txt',
      ]);
      assert.match(String(objects.get('1 call.json')), /"question 1 /);
      assert.equal(String(objects.get('2 traceback.txt')), 'File "a.py"');
    });
  }

  it('an experiment that a person had deleted is restored', async (t) => {
    const reader = mlflowReader(release.mlflow.url);
    const experiment = `/${t.name}`;
    await release.tell('experiments/create', { name: experiment });
    const { id } = (await reader.experiment(experiment)) ?? {};
    await release.tell('experiments/delete', { experiment_id: id });
    const { post, assertRecorded } = await release.stage(t);
    await post(1, 2);
    await assertRecorded(2);
    assert.equal((await reader.experiment(experiment))?.lifecycle, 'active');
  });

  it('a create whose answer was lost behind the edge is found, not sent again', async (t) => {
    const { proxy, post, assertRecorded } = await release.stage(t);
    proxy.harm(firstOf('runs/create', 2, { kind: 'lose_answer' }));
    await post(1, 4);
    await assertRecorded(4);
    assert.equal(proxy.named('runs/create').length, 4);
    assert.equal(proxy.named('runs/search').length, 2);
  });

  it('a tracking server of which only the name is known is looked up once, and its size decides the rate', async (t) => {
    const { sidecar, sagemaker, post, assertRecorded } = await release.stage(t, {
      size: 'Medium',
      env: byName(serverName),
    });
    await post(1, 3);
    await assertRecorded(3);
    await post(4, 5);
    await assertRecorded(5);
    assert.equal((await healthOf(sidecar)).requests_per_second, 30);
    assert.deepEqual(lookUps(sagemaker), ['found']);
  });

  it('a name that no tracking server has yet holds all calls until one has it', async (t) => {
    const { sagemaker, post, held, assertRecorded } = await release.stage(t, {
      env: byName('later'),
    });
    await post(1, 2);
    assert.equal(await held(), 'no_such_server');
    sagemaker.resources.push(sagemaker.controlPlane.addTrackingServer('later'));
    await assertRecorded(2);
  });

  it('a sidecar that may not look up the size of its tracking server takes it for a small one', async (t) => {
    const { sidecar, sagemaker, post, assertRecorded } = await release.stage(t, { size: 'Large' });
    const rate = async () => (await healthOf(sidecar)).requests_per_second;
    const isFull = async () => ((await rate()) === 60 ? true : undefined);
    await waitUntil(isFull, { what: 'the rate of a large server', withinMs: 10_000 });
    sagemaker.controlPlane.deny('DescribeMlflowTrackingServer');
    await sidecar.restart();
    await post(1, 2);
    await assertRecorded(2);
    assert.equal(await rate(), 15);
    assert.deepEqual(lookUps(sagemaker), ['found', 'AccessDeniedException']);
  });
}

/** How many requests had which answer, by MLflow's own name of them. */
function asked(requests: readonly EdgeRequest[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { path, status } of requests) {
    // The server dropped the connection instead of answering, as gunicorn does at times: it was asked again.
    if (status === undefined) continue;
    const name = `${path.replace('/api/2.0/mlflow/', '')} ${status}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** What became of each time that a tracking server was looked up. */
function lookUps({ controlPlane }: SagemakerStack): string[] {
  return controlPlane.calls
    .filter(({ operation }) => operation === 'DescribeMlflowTrackingServer')
    .map(({ error = 'found' }) => error);
}

function byName(name: string): Record<string, string> {
  return { MLFLOW_TRACKING_URI: '', MLFLOW_TRACKING_SERVER_NAME: name };
}

function times({ startTime, endTime }: { startTime: number; endTime: number }) {
  return { start: Math.round(startTime * 1000), end: Math.round(endTime * 1000) };
}
