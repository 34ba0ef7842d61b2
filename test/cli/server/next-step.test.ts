import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrackingServerStatus } from '@aws-sdk/client-sagemaker';
import fc from 'fast-check';
import { type Goal, leadsTo, nextStep, type Progress } from '../../../src/cli/server/next-step.ts';
import { statusWords } from '../../../src/cli/server/status-words.ts';

/** What is to be done at first, by status: for a server that serves, and for one that does not. */
const firstSteps: Readonly<
  Record<TrackingServerStatus, Readonly<Record<Goal, readonly [active: string, inactive: string]>>>
> = {
  Creating: { running: ['wait', 'wait'], stopped: ['failed', 'failed'] },
  Created: { running: ['reached', 'wait'], stopped: ['ask', 'ask'] },
  CreateFailed: { running: ['failed', 'failed'], stopped: ['failed', 'failed'] },
  Updating: { running: ['reached', 'blocked'], stopped: ['blocked', 'reached'] },
  Updated: { running: ['reached', 'ask'], stopped: ['ask', 'reached'] },
  UpdateFailed: { running: ['reached', 'ask'], stopped: ['ask', 'reached'] },
  Deleting: { running: ['failed', 'failed'], stopped: ['failed', 'failed'] },
  DeleteFailed: { running: ['reached', 'ask'], stopped: ['ask', 'reached'] },
  Stopping: { running: ['blocked', 'blocked'], stopped: ['wait', 'wait'] },
  Stopped: { running: ['ask', 'ask'], stopped: ['reached', 'reached'] },
  StopFailed: { running: ['reached', 'ask'], stopped: ['ask', 'reached'] },
  Starting: { running: ['wait', 'wait'], stopped: ['blocked', 'blocked'] },
  Started: { running: ['reached', 'wait'], stopped: ['ask', 'ask'] },
  StartFailed: { running: ['reached', 'ask'], stopped: ['ask', 'reached'] },
  MaintenanceInProgress: { running: ['reached', 'blocked'], stopped: ['blocked', 'reached'] },
  MaintenanceComplete: { running: ['reached', 'ask'], stopped: ['ask', 'reached'] },
  MaintenanceFailed: { running: ['reached', 'ask'], stopped: ['ask', 'reached'] },
};

const statuses = Object.values(TrackingServerStatus);
const goals: Goal[] = ['running', 'stopped'];

test("each of SageMaker's statuses has its step, for a server that serves and one that does not", () => {
  const steps = Object.fromEntries(
    statuses.map((status) => [
      status,
      Object.fromEntries(
        goals.map((goal) => [
          goal,
          [true, false].map((active) => nextStep(goal, { status, active }, 'nothing').kind),
        ]),
      ),
    ]),
  );
  assert.deepEqual(steps, firstSteps);
});

test('what was asked for is not asked for again', () => {
  const anyLook = fc.record({
    status: fc.oneof(fc.constantFrom<string>(...statuses), fc.string()),
    active: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.constantFrom(...goals),
      anyLook,
      fc.constantFrom<Progress>('asked', 'begun'),
      (goal, look, progress) => nextStep(goal, look, progress).kind !== 'ask',
    ),
  );
});

test('a status that a newer SageMaker may have is judged by whether the server serves', () => {
  const look = (active: boolean) => ({ status: 'Hibernating', active });
  assert.deepEqual(
    goals.map((goal) => [
      nextStep(goal, look(true), 'nothing').kind,
      nextStep(goal, look(false), 'nothing').kind,
    ]),
    [
      ['reached', 'ask'],
      ['ask', 'reached'],
    ],
  );
});

test('a change that failed, or that somebody undid, ends with a reason', () => {
  const kinds = (goal: Goal, status: string, active: boolean) => {
    const step = nextStep(goal, { status, active }, 'begun');
    return step.kind === 'failed' ? step.why : step.kind;
  };
  assert.match(kinds('running', 'StartFailed', false), /starting failed.*execution role/);
  assert.match(kinds('stopped', 'StopFailed', true), /stopping failed, and it still runs/);
  for (const status of ['Stopping', 'Stopped']) {
    assert.match(kinds('running', status, false), /somebody has stopped it meanwhile/);
  }
  for (const status of ['Starting', 'Started']) {
    assert.match(kinds('stopped', status, true), /somebody has started it meanwhile/);
  }
});

test('only what is on its way to a goal leads to it', () => {
  const leading = (goal: Goal) => statuses.filter((status) => leadsTo(goal, status));
  assert.deepEqual(leading('running'), ['Creating', 'Starting']);
  assert.deepEqual(leading('stopped'), ['Stopping']);
});

test('each status has words that tell whether it serves, or what to do', () => {
  for (const status of statuses) {
    for (const active of [true, false]) {
      const words = statusWords({ kind: 'mlflow-tracking-server', status, active });
      assert.match(words, /serve|start|create|delete/, status);
      if (/(Updat|Maintenance|DeleteFailed)/.test(status)) {
        assert.match(words, active ? /it serves/ : /it does not serve/, status);
      }
    }
    assert.match(statusWords({ kind: 'mlflow-app', status, active: undefined }), /\w/);
  }
});
