import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  CreateMlflowTrackingServerCommand,
  DeleteMlflowTrackingServerCommand,
  StartMlflowTrackingServerCommand,
  StopMlflowTrackingServerCommand,
  UpdateMlflowTrackingServerCommand,
} from '@aws-sdk/client-sagemaker';
import { ControlError } from '../../../src/aws/mlflow-control.ts';
import { driveServer, type News } from '../../../src/cli/server/drive-server.ts';
import type { Goal } from '../../../src/cli/server/next-step.ts';
import type { Change } from '../../support/sagemaker-control-plane/life-cycle.ts';
import { minimum, TrackingServerName } from '../../support/sagemaker-control-plane/started.ts';
import { type DrivenControl, startControl, steppingClock } from './control.ts';

type Started = Awaited<ReturnType<typeof startControl>>;

const send = {
  create: ({ client }: Started) =>
    client.send(new CreateMlflowTrackingServerCommand({ ...minimum, TrackingServerName })),
  start: ({ client }: Started) =>
    client.send(new StartMlflowTrackingServerCommand({ TrackingServerName })),
  stop: ({ client }: Started) =>
    client.send(new StopMlflowTrackingServerCommand({ TrackingServerName })),
  update: ({ client }: Started) =>
    client.send(
      new UpdateMlflowTrackingServerCommand({ TrackingServerName, TrackingServerSize: 'Large' }),
    ),
  delete: ({ client }: Started) =>
    client.send(new DeleteMlflowTrackingServerCommand({ TrackingServerName })),
};

const created = async ({ plane }: Started) => {
  plane.addTrackingServer(TrackingServerName);
};
/** A change of a server that runs, ended well or not, or not ended. */
const after = (change: keyof typeof send, end: 'under way' | 'done' | 'failed') => {
  return async (started: Started) => {
    const { plane } = started;
    if (change !== 'create') await created(started);
    if (end === 'failed') plane.fail(changes[change]);
    await send[change](started);
    if (end !== 'under way') plane.advance();
  };
};
const changes: Readonly<Record<keyof typeof send, Change>> = {
  ...{ create: 'Create', start: 'Start', stop: 'Stop', update: 'Update', delete: 'Delete' },
};
const stopped = after('stop', 'done');
/** A change of a server that is stopped. */
const stoppedThen = (change: 'start' | 'update', end: 'under way' | 'done' | 'failed') => {
  return async (started: Started) => {
    await stopped(started);
    if (end === 'failed') started.plane.fail(changes[change]);
    await send[change](started);
    if (end !== 'under way') started.plane.advance();
  };
};
const maintained = (end: 'under way' | 'done' | 'failed') => async (started: Started) => {
  const { plane } = started;
  const arn = plane.addTrackingServer(TrackingServerName);
  if (end === 'failed') plane.fail('Maintain');
  plane.maintain(arn);
  if (end !== 'under way') plane.advance();
};

interface Options {
  control?: DrivenControl;
  wait?: boolean;
  timeoutMs?: number;
  over?: AbortSignal;
  /** Told of each wait; ends what is under way at the second one unless told otherwise. */
  onSleep?: (count: number) => unknown;
}

async function drive(started: Started, goal: Goal, options: Options = {}) {
  const { plane, control } = started;
  const { wait = true, timeoutMs = 2_700_000, over = new AbortController().signal } = options;
  const { onSleep = (count: number) => count % 2 === 0 && plane.advance() } = options;
  const clock = steppingClock(onSleep);
  const before = plane.calls.length;
  const news: News[] = [];
  const end = await driveServer({
    ...{ control: options.control ?? control, name: TrackingServerName, goal, wait, clock, over },
    deadline: clock.now() + timeoutMs,
    onProgress: (one) => news.push(one),
  });
  const asked = plane.calls
    .slice(before)
    .map(({ operation }) => operation.replace('MlflowTrackingServer', ''))
    .filter((operation) => operation !== 'Describe');
  return { end, asked, news, slept: clock.slept };
}

/** From where a server may be: what becomes of a start and of a stop, and what is asked for. */
const cases: readonly (readonly [
  from: string,
  prepare: (started: Started) => Promise<unknown>,
  start: string,
  stop: string,
])[] = [
  ['Creating', after('create', 'under way'), 'reached Created', 'failed Creating'],
  ['Created', created, 'already Created', 'Stop reached Stopped'],
  ['CreateFailed', after('create', 'failed'), 'failed CreateFailed', 'failed CreateFailed'],
  ['Updating', after('update', 'under way'), 'already Updating', 'Stop reached Stopped'],
  ['Updated', after('update', 'done'), 'already Updated', 'Stop reached Stopped'],
  ['UpdateFailed', after('update', 'failed'), 'already UpdateFailed', 'Stop reached Stopped'],
  ['Updating', stoppedThen('update', 'under way'), 'Start reached Started', 'already Updating'],
  ['Updated', stoppedThen('update', 'done'), 'Start reached Started', 'already Updated'],
  [
    'UpdateFailed',
    stoppedThen('update', 'failed'),
    'Start reached Started',
    'already UpdateFailed',
  ],
  ['Deleting', after('delete', 'under way'), 'failed Deleting', 'failed Deleting'],
  ['DeleteFailed', after('delete', 'failed'), 'already DeleteFailed', 'Stop reached Stopped'],
  ['Stopping', after('stop', 'under way'), 'Start reached Started', 'reached Stopped'],
  ['Stopped', stopped, 'Start reached Started', 'already Stopped'],
  ['StopFailed', after('stop', 'failed'), 'already StopFailed', 'Stop reached Stopped'],
  ['Starting', stoppedThen('start', 'under way'), 'reached Started', 'Stop reached Stopped'],
  ['Started', stoppedThen('start', 'done'), 'already Started', 'Stop reached Stopped'],
  ['StartFailed', stoppedThen('start', 'failed'), 'Start reached Started', 'already StartFailed'],
  [
    'MaintenanceInProgress',
    maintained('under way'),
    'already MaintenanceInProgress',
    'Stop reached Stopped',
  ],
  [
    'MaintenanceComplete',
    maintained('done'),
    'already MaintenanceComplete',
    'Stop reached Stopped',
  ],
  ['MaintenanceFailed', maintained('failed'), 'already MaintenanceFailed', 'Stop reached Stopped'],
];

for (const [from, prepare, start, stop] of cases) {
  for (const [goal, expected] of [
    ['running', start],
    ['stopped', stop],
  ] as const) {
    test(`from ${from}, ${goal}: ${expected}`, async (t) => {
      const started = await startControl(t);
      await prepare(started);
      const { active: isActive, status } = await started.control.describeServer(TrackingServerName);
      assert.equal(status, from);
      const { end, asked } = await drive(started, goal);
      assert.equal([...asked, end.kind, end.look.status].join(' '), expected);
      if (end.kind === 'reached') assert.equal(end.look.active, goal === 'running');
      if (end.kind === 'already') assert.equal(isActive, goal === 'running');
    });
  }
}

test('the server is looked at less and less often, every half minute at the least', async (t) => {
  const started = await startControl(t);
  await stopped(started);
  const { end, slept, news } = await drive(started, 'running', {
    onSleep: (count) => count === 10 && started.plane.advance(),
  });
  assert.equal(end.kind, 'reached');
  assert.deepEqual(slept.slice(0, 3), [2_000, 3_000, 4_500]);
  assert.ok(slept.every((ms, index) => ms >= (slept[index - 1] ?? 0)));
  assert.deepEqual(slept.slice(-2), [30_000, 30_000]);
  assert.deepEqual([...new Set(news.map(({ kind }) => kind))], ['seen', 'asking']);
});

test('without waiting, a start returns when SageMaker has taken it on, and one under way counts', async (t) => {
  const started = await startControl(t);
  await stopped(started);
  const noWait = { wait: false, onSleep: () => assert.fail('it waits') };
  const first = await drive(started, 'running', noWait);
  assert.deepEqual([first.end.kind, first.asked], ['begun', ['Start']]);
  const second = await drive(started, 'running', noWait);
  assert.deepEqual([second.end.kind, second.asked], ['begun', []]);
  started.plane.advance();
  assert.equal((await drive(started, 'running', noWait)).end.kind, 'already');
});

test('without waiting, a change that stands in the way is told', async (t) => {
  const started = await startControl(t);
  await after('stop', 'under way')(started);
  const { end, asked } = await drive(started, 'running', { wait: false });
  assert.deepEqual([end.kind, asked], ['failed', []]);
  assert.match(end.why ?? '', /it is stopping; ask again when that is over/);
});

for (const wait of [true, false]) {
  test(`a start that another was quicker with is a success, ${wait ? '' : 'not '}waited for`, async (t) => {
    const started = await startControl(t);
    const { control } = started;
    await stopped(started);
    const slower: DrivenControl = {
      ...control,
      startServer: async (name, signal) => {
        await send.start(started);
        await control.startServer(name, signal);
      },
    };
    const { end } = await drive(started, 'running', { control: slower, wait });
    assert.equal(end.kind, wait ? 'reached' : 'begun');
    assert.equal(
      started.plane.calls.filter(({ error }) => error === 'ConflictException').length,
      1,
    );
  });
}

test('a refusal for a status that nobody sees ends after three, with what SageMaker says', async (t) => {
  const started = await startControl(t);
  await stopped(started);
  let refusals = 0;
  const refusing: DrivenControl = {
    ...started.control,
    startServer: async () => {
      refusals += 1;
      const error = new Error('not in this status');
      error.name = 'ConflictException';
      throw new ControlError('StartMlflowTrackingServer', error);
    },
  };
  const { end } = await drive(started, 'running', { control: refusing });
  assert.deepEqual([end.kind, refusals], ['failed', 3]);
  assert.match(end.why ?? '', /SageMaker refuses: not in this status/);
});

for (const from of ['Stopped', 'StartFailed']) {
  test(`a start from ${from} that fails is told as such`, async (t) => {
    const started = await startControl(t);
    await (from === 'Stopped' ? stopped : stoppedThen('start', 'failed'))(started);
    started.plane.fail('Start');
    const { end, asked } = await drive(started, 'running');
    assert.deepEqual([end.kind, end.look.status, asked], ['failed', 'StartFailed', ['Start']]);
    assert.match(end.why ?? '', /starting failed/);
  });
}

test('a start that fails between two looks is told as such', async (t) => {
  const started = await startControl(t);
  await stopped(started);
  started.plane.fail('Start');
  const { end, asked } = await drive(started, 'running', {
    onSleep: () => started.plane.advance(),
  });
  assert.deepEqual([end.kind, end.look.status, asked], ['failed', 'StartFailed', ['Start']]);
});

test('a stop that fails is told as such', async (t) => {
  const started = await startControl(t);
  await created(started);
  started.plane.fail('Stop');
  const { end } = await drive(started, 'stopped');
  assert.deepEqual([end.kind, end.look.status], ['failed', 'StopFailed']);
  assert.match(end.why ?? '', /it still runs/);
});

test('a creation that fails while a start waits for it is told as such', async (t) => {
  const started = await startControl(t);
  await after('create', 'under way')(started);
  started.plane.fail('Create');
  const { end, asked } = await drive(started, 'running');
  assert.deepEqual([end.kind, end.look.status, asked], ['failed', 'CreateFailed', []]);
});

test('a server that somebody stops while it starts is not started again', async (t) => {
  const started = await startControl(t);
  await stopped(started);
  const { end, asked } = await drive(started, 'running', {
    onSleep: async (count) => {
      if (count !== 2) return;
      started.plane.advance();
      await send.stop(started);
      started.plane.advance();
    },
  });
  assert.deepEqual([end.kind, asked], ['failed', ['Start', 'Stop']]);
  assert.match(end.why ?? '', /somebody has stopped it meanwhile/);
});

test('a server that is gone while it is waited for ends the waiting', async (t) => {
  const started = await startControl(t);
  await stopped(started);
  const waiting = drive(started, 'running', {
    onSleep: async () => {
      started.plane.advance();
      await send.delete(started);
      started.plane.advance();
    },
  });
  await assert.rejects(waiting, { code: 'ResourceNotFound' });
});

test('waiting ends at its bound, and says whether the change goes on', async (t) => {
  const started = await startControl(t);
  await stopped(started);
  const never = { timeoutMs: 60_000, onSleep: () => {} };
  const { end, slept } = await drive(started, 'running', never);
  assert.deepEqual([end.kind, end.underWay], ['timeout', true]);
  assert.equal(
    slept.reduce((sum, ms) => sum + ms),
    60_000,
  );
  const other = await drive(started, 'stopped', never);
  assert.deepEqual([other.end.kind, other.end.underWay, other.asked], ['timeout', false, []]);
});

test('waiting ends when it is interrupted', async (t) => {
  const started = await startControl(t);
  await stopped(started);
  const interrupt = new AbortController();
  const { end } = await drive(started, 'running', {
    over: interrupt.signal,
    onSleep: () => interrupt.abort(),
  });
  assert.deepEqual([end.kind, end.look.status, end.underWay], ['interrupted', 'Stopped', true]);
});

test('what fails for a moment does not end the waiting', async (t) => {
  const started = await startControl(t);
  await stopped(started);
  const codes = ['ThrottlingException', 'TimeoutError', 'ServiceUnavailable'];
  const { control } = started;
  let looks = 0;
  const shaky: DrivenControl = {
    ...control,
    describeServer: async (name, signal) => {
      looks += 1;
      if (looks > 1 && codes.length > 0) {
        const error = new Error('no');
        error.name = codes.shift() ?? '';
        throw new ControlError('DescribeMlflowTrackingServer', error);
      }
      return control.describeServer(name, signal);
    },
  };
  const { end, news } = await drive(started, 'running', { control: shaky });
  assert.equal(end.kind, 'reached');
  assert.equal(news.filter(({ kind }) => kind === 'unseen').length, 3);
});

test('a start whose answer is lost is not asked for twice', async (t) => {
  const started = await startControl(t);
  await stopped(started);
  const { control } = started;
  const deaf: DrivenControl = {
    ...control,
    startServer: async (name, signal) => {
      await control.startServer(name, signal);
      throw new ControlError('x', Object.assign(new Error('reset'), { code: 'ECONNRESET' }));
    },
  };
  const { end, asked } = await drive(started, 'running', { control: deaf });
  assert.deepEqual([end.kind, asked], ['reached', ['Start']]);
});

test('a permission that is absent ends it, and names the operation', async (t: TestContext) => {
  const started = await startControl(t);
  await stopped(started);
  started.plane.deny('StartMlflowTrackingServer');
  await assert.rejects(drive(started, 'running'), {
    name: 'ControlError',
    operation: 'StartMlflowTrackingServer',
    code: 'AccessDeniedException',
  });
});

test('throttling is tried again by itself', async (t) => {
  const started = await startControl(t);
  await stopped(started);
  started.plane.throttle(1);
  const { end } = await drive(started, 'running');
  assert.equal(end.kind, 'reached');
  assert.ok(started.plane.calls.some(({ error }) => error === 'ThrottlingException'));
});
