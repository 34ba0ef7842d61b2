import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createBodyRoom } from '../../src/deliver/body-room.ts';
import type { CallEnd } from '../../src/deliver/call-end.ts';
import { createDelivery } from '../../src/deliver/deliver-call.ts';
import { createExperiments } from '../../src/deliver/experiments.ts';
import { createHold } from '../../src/deliver/hold.ts';
import { createSuccesses } from '../../src/deliver/successes.ts';
import type { PendingCall, Progress } from '../../src/journal/journal.ts';
import { createArtifacts } from '../../src/mlflow/artifacts.ts';
import { createMlflowClient, type OnOutcome } from '../../src/mlflow/client.ts';
import { createHttpTransport } from '../../src/mlflow/http-transport.ts';
import { admitCall } from '../support/admitted-call.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { litellmEvent } from '../support/litellm-event.ts';
import { type Fault, startMinimalMlflow } from '../support/minimal-mlflow.ts';

const recordId = 'sidecar.record_id';

async function setUp(t: TestContext, event = litellmEvent(1), isTraced = false) {
  const mlflow = await startMinimalMlflow(t);
  const clock = fakeClock();
  const { record, body } = admitCall(event, clock.now());
  const kept: Progress[] = [];
  const successes = createSuccesses();
  const holds = {
    mlflow: createHold({ clock, random: () => 0.5, onChange: () => undefined }),
    artifacts: createHold({ clock, random: () => 0.5, onChange: () => undefined }),
  };
  const transport = createHttpTransport({
    url: new URL(mlflow.url),
    timeoutMs: () => 5_000,
    connections: 2,
  });
  t.after(() => transport.close());
  const onOutcome: OnOutcome = (request, outcome) => {
    if (outcome !== 'done') return;
    holds.mlflow.succeeded(request);
    successes.note(request, clock.now());
  };
  const client = createMlflowClient(transport.send, { now: clock.now, onOutcome });
  let bodyBytes: Uint8Array | undefined = body;
  const deliver = createDelivery({
    mlflow: client,
    artifacts: createArtifacts({
      mlflow: client,
      objects: { put: () => assert.fail('no S3 here'), close: () => undefined },
      presigned: false,
      now: clock.now,
      onOutcome,
    }),
    experiments: createExperiments(client),
    holds,
    successes,
    keep: async (_seq, progress) => {
      kept.push(progress);
    },
    body: async () => bodyBytes,
    bodyRoom: createBodyRoom(1_000_000),
    clock,
    random: () => 0.5,
  });
  const call: PendingCall = {
    seq: 1,
    receivedAt: clock.now(),
    experiment: '/e',
    record,
    attempts: 0,
    bodyBytes: body.length,
    ...(isTraced && { isTraced: true }),
  };
  let lastEnd: CallEnd | undefined;
  return {
    mlflow,
    clock,
    holds,
    successes,
    kept,
    record,
    loseBody: () => {
      bodyBytes = undefined;
    },
    /** Delivers, from the progress that the last attempt ended with or that is given. */
    attempt: async (progress?: Progress) => {
      const before = progress ?? (lastEnd && 'progress' in lastEnd ? lastEnd.progress : undefined);
      const attempts = lastEnd?.kind === 'later' ? lastEnd.attempts : 0;
      lastEnd = await deliver(
        { ...call, attempts, ...(before && { progress: before }) },
        mlflow.url,
      );
      return lastEnd;
    },
    runs: () => mlflow.runsOf(recordId, record.recordId),
  };
}

const recorded: CallEnd = { kind: 'settled', settlement: { kind: 'recorded' } };

test('the note of a run links to the trace of its call, where it gets one', async (t) => {
  for (const isTraced of [true, false]) {
    const { mlflow, attempt } = await setUp(t, litellmEvent(1), isTraced);
    await attempt();
    const [run] = mlflow.runs.values();
    const note = run?.tags.get('mlflow.note.content') ?? '';
    const trace = run?.tags.get(recordId)?.slice(0, 32);
    const link = ` · [trace](#/experiments/1/traces?selectedEvaluationId=tr-${trace})`;
    assert.equal(note.endsWith(link), isTraced, note);
  }
});

test('a call becomes one finished run in three requests and its artifact', async (t) => {
  const it = await setUp(t);
  assert.deepEqual(await it.attempt(), recorded);
  assert.deepEqual(it.mlflow.requests, [
    'experiments/get-by-name',
    'experiments/create',
    'runs/create',
    'runs/log-batch',
    'artifacts/put',
    'runs/update',
  ]);
  const [run] = it.runs();
  assert.equal(run?.status, 'FINISHED');
  assert.equal(run?.metrics.get('prompt_tokens'), 21);
  assert.equal(run?.params.get('temperature'), '0.5');
  assert.ok(run?.artifacts.has('call.json'));
});

test('each answer is kept before the next request', async (t) => {
  const it = await setUp(t);
  const seen: string[][] = [];
  it.mlflow.fault = (request) => {
    seen.push([request, ...it.kept.map((one) => one.done?.at(-1) ?? `run ${one.runId}`)]);
    return undefined;
  };
  await it.attempt();
  assert.deepEqual(seen.slice(3), [
    ['runs/log-batch', 'run run-1'],
    ['artifacts/put', 'run run-1', 'logged'],
    ['runs/update', 'run run-1', 'logged', 'call.json'],
  ]);
});

test('what was done is not done again', async (t) => {
  const it = await setUp(t);
  it.mlflow.fault = (request) => (request === 'runs/update' ? { status: 500 } : undefined);
  assert.equal((await it.attempt()).kind, 'later');
  it.mlflow.fault = () => undefined;
  it.mlflow.requests.length = 0;
  assert.deepEqual(await it.attempt(), recorded);
  assert.deepEqual(it.mlflow.requests, ['runs/update']);
});

test('a create whose answer was lost is searched for, and its run finished', async (t) => {
  const it = await setUp(t);
  it.mlflow.fault = (request) => (request === 'runs/create' ? 'drop_after' : undefined);
  const end = await it.attempt();
  assert.ok(end.kind === 'later');
  assert.equal(end.dueAt, it.clock.now() + 2_000);
  it.mlflow.fault = () => undefined;
  it.clock.advance(2_000);
  assert.deepEqual(await it.attempt(), recorded);
  assert.equal(it.runs().length, 1);
  assert.equal(it.mlflow.requests.filter((request) => request === 'runs/create').length, 1);
});

test('a create that never arrived is sent again only after the searches at 2, 20 and 90 s', async (t) => {
  const it = await setUp(t);
  let creates = 0;
  it.mlflow.fault = (request) => {
    if (request !== 'runs/create') return undefined;
    creates += 1;
    return creates === 1 ? 'drop_before' : undefined;
  };
  const begun = it.clock.now();
  const waits: number[] = [];
  let end = await it.attempt();
  while (end.kind === 'later') {
    waits.push(end.dueAt - begun);
    it.clock.advance(end.dueAt - it.clock.now());
    end = await it.attempt();
  }
  assert.deepEqual(waits, [2_000, 20_000, 90_000]);
  assert.deepEqual(end, recorded);
  assert.deepEqual(it.mlflow.requests.slice(2), [
    'runs/create',
    'runs/search',
    'runs/search',
    'runs/search',
    'runs/create',
    'runs/log-batch',
    'artifacts/put',
    'runs/search',
    'runs/update',
  ]);
  assert.equal(it.runs().length, 1);
});

/** Delivers a call whose first create acts only while the second is logged; `onDelete` answers a delete. */
async function withLateCreate(t: TestContext, onDelete: () => Fault | undefined) {
  const it = await setUp(t);
  let creates = 0;
  it.mlflow.fault = (request) => {
    if (request === 'runs/create') creates += 1;
    return request === 'runs/create' && creates === 1 ? 'drop_before' : undefined;
  };
  let end = await it.attempt();
  while (end.kind === 'later') {
    it.clock.advance(end.dueAt - it.clock.now());
    if (it.mlflow.requests.filter((request) => request === 'runs/search').length === 2) {
      it.mlflow.fault = (request) => {
        if (request === 'runs/log-batch') it.mlflow.repeatCreate();
        return request === 'runs/delete' ? onDelete() : undefined;
      };
    }
    end = await it.attempt();
  }
  const { secondRunsDeleted } = it.kept.at(-1) ?? {};
  const runs = it.runs().map(({ status, deleted }) => ({ status, deleted }));
  return { end, runs, secondRunsDeleted };
}

test('a create that acts after the last search makes a second run, which is deleted and counted', async (t) => {
  const { end, runs, secondRunsDeleted } = await withLateCreate(t, () => undefined);
  assert.deepEqual(end, recorded);
  assert.equal(secondRunsDeleted, 1);
  assert.deepEqual(runs, [
    { status: 'FINISHED', deleted: false },
    { status: 'RUNNING', deleted: true },
  ]);
});

test('a second run that somebody else has deleted meanwhile hinders nothing', async (t) => {
  const gone = { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'no such run' };
  const { end, secondRunsDeleted } = await withLateCreate(t, () => ({ status: 404, body: gone }));
  assert.deepEqual([end, secondRunsDeleted], [recorded, undefined]);
});

test('who may not delete runs leaves a second one, and records the call all the same', async (t) => {
  const { end, runs, secondRunsDeleted } = await withLateCreate(t, () => ({ status: 403 }));
  assert.deepEqual([end, secondRunsDeleted], [recorded, undefined]);
  assert.deepEqual(runs, [
    { status: 'FINISHED', deleted: false },
    { status: 'RUNNING', deleted: false },
  ]);
});

test('a call that was begun before a kill is searched for before anything is sent', async (t) => {
  const it = await setUp(t);
  const begunAt = it.clock.now() - 3_600_000;
  assert.deepEqual(await it.attempt({ destination: it.mlflow.url, begunAt }), recorded);
  assert.deepEqual(it.mlflow.requests.slice(2, 4), ['runs/search', 'runs/create']);
});

test('a replayed call whose run is complete is recorded with it, and nothing is sent', async (t) => {
  const it = await setUp(t);
  await it.attempt();
  it.mlflow.requests.length = 0;
  const replay = { destination: it.mlflow.url, replayed: true, earlierRunId: 'run-0' } as const;
  const end = await it.attempt({ ...replay, begunAt: 0 });
  assert.deepEqual(it.mlflow.requests, ['runs/search']);
  const found = {
    experimentId: '1',
    runId: 'run-1',
    artifactUri: 'mlflow-artifacts:/1/run-1/artifacts',
  };
  assert.deepEqual(end, {
    kind: 'settled',
    settlement: { kind: 'recorded', progress: { ...replay, ...found } },
  });
});

test('a run that a person deleted is not made again', async (t) => {
  const it = await setUp(t);
  it.mlflow.fault = (request) => {
    if (request === 'runs/log-batch') for (const run of it.runs()) run.deleted = true;
    return undefined;
  };
  const shed: CallEnd = { kind: 'settled', settlement: { kind: 'shed', reason: 'deleted' } };
  assert.deepEqual(await it.attempt(), shed);
  assert.equal(it.runs().length, 1);
});

test('a run that was deleted while its create was unclear is not made again', async (t) => {
  const it = await setUp(t);
  it.mlflow.fault = (request) => (request === 'runs/create' ? 'drop_after' : undefined);
  await it.attempt();
  for (const run of it.runs()) run.deleted = true;
  it.clock.advance(2_000);
  const shed: CallEnd = { kind: 'settled', settlement: { kind: 'shed', reason: 'deleted' } };
  assert.deepEqual(await it.attempt(), shed);
});

test('what MLflow finds unacceptable dies with its answer', async (t) => {
  const it = await setUp(t);
  const body = { error_code: 'INVALID_PARAMETER_VALUE', message: 'no such thing' };
  it.mlflow.fault = (request) => (request === 'runs/log-batch' ? { status: 400, body } : undefined);
  const end = await it.attempt();
  assert.ok(end.kind === 'settled' && end.settlement.kind === 'dead');
  assert.equal(end.settlement.reason, 'rejected');
  assert.match(end.settlement.detail, /400 INVALID_PARAMETER_VALUE: no such thing/);
});

test('a refusing server holds the call as it was', async (t) => {
  const it = await setUp(t);
  it.mlflow.fault = (request) => (request === 'runs/create' ? { status: 403 } : undefined);
  const end = await it.attempt();
  assert.ok(end.kind === 'held');
  assert.equal(end.by, 'mlflow');
  assert.equal(end.progress.begunAt, undefined, 'nothing was begun');
});

test('a server that fails over one call again and again, and does others, gives that one up', async (t) => {
  const it = await setUp(t);
  it.mlflow.fault = (request) => (request === 'runs/log-batch' ? { status: 500 } : undefined);
  let end = await it.attempt();
  for (let tries = 1; tries < 8; tries += 1) {
    assert.equal(end.kind, 'later', `after ${tries} tries`);
    it.clock.advance(300_000);
    it.successes.note('runs/log-batch', it.clock.now() - 1);
    end = await it.attempt();
  }
  assert.ok(end.kind === 'settled' && end.settlement.kind === 'dead');
  assert.equal(end.settlement.reason, 'server_error');
});

test('a server that fails over everything gives nothing up', async (t) => {
  const it = await setUp(t);
  await it.attempt();
  const progress: Progress = { destination: it.mlflow.url, runId: it.runs()[0]?.id ?? '' };
  it.clock.advance(1);
  it.mlflow.fault = () => ({ status: 500 });
  let end = await it.attempt(progress);
  for (let tries = 0; tries < 30; tries += 1) {
    assert.equal(end.kind, 'later');
    it.clock.advance(300_000);
    end = await it.attempt();
  }
});

test('a server that reads but cannot write gives nothing up', async (t) => {
  const it = await setUp(t);
  it.mlflow.fault = (request) => (request === 'runs/create' ? { status: 500 } : undefined);
  let end = await it.attempt();
  for (let tries = 0; tries < 60; tries += 1) {
    assert.equal(end.kind, 'later', `after ${tries} tries`);
    it.clock.advance(300_000);
    end = await it.attempt();
  }
});

test('one call that is refused again and again, while others pass, is given up', async (t) => {
  const it = await setUp(t);
  it.mlflow.fault = (request) => (request === 'runs/create' ? { status: 403 } : undefined);
  let end = await it.attempt();
  for (let tries = 1; tries < 8; tries += 1) {
    assert.equal(end.kind, 'held', `after ${tries} tries`);
    it.clock.advance(300_000);
    it.successes.note('runs/create', it.clock.now() - 1);
    end = await it.attempt();
  }
  assert.ok(end.kind === 'settled' && end.settlement.kind === 'dead');
  assert.equal(end.settlement.reason, 'refused');
});

test('an artifact store that fails is held by itself, and costs no call its life', async (t) => {
  const it = await setUp(t);
  it.mlflow.fault = (request) => (request === 'artifacts/put' ? { status: 500 } : undefined);
  let end = await it.attempt();
  for (let tries = 0; tries < 30; tries += 1) {
    assert.equal(end.kind, 'later', `after ${tries} tries`);
    it.clock.advance(300_000);
    end = await it.attempt();
  }
  assert.equal(it.holds.artifacts.state().state, 'held');
  assert.equal(it.holds.mlflow.state().state, 'open');
});

test('an artifact store that is busy keeps no file from its run', async (t) => {
  const it = await setUp(t);
  it.mlflow.fault = (request) => (request === 'artifacts/put' ? { status: 429 } : undefined);
  for (let tries = 0; tries < 20; tries += 1) {
    assert.equal((await it.attempt()).kind, 'held');
    it.clock.advance(300_000);
    it.successes.note('artifacts/put', it.clock.now() - 1);
  }
  it.mlflow.fault = () => undefined;
  assert.deepEqual(await it.attempt(), recorded);
  assert.ok(it.runs()[0]?.artifacts.has('call.json'));
});

test('a clock that was set back makes an unclear create wait, not spin', async (t) => {
  const it = await setUp(t);
  const begunAt = it.clock.now() + 3_600_000;
  const end = await it.attempt({ destination: it.mlflow.url, begunAt });
  assert.ok(end.kind === 'later');
  assert.equal(end.progress.begunAt, it.clock.now());
  assert.equal(end.dueAt, it.clock.now() + 2_000);
});

test('a file that cannot be stored, while others are, is left out', async (t) => {
  const it = await setUp(t);
  it.mlflow.fault = (request) => (request === 'artifacts/put' ? { status: 500 } : undefined);
  let end = await it.attempt();
  for (let tries = 1; tries < 8; tries += 1) {
    assert.equal(end.kind, 'later');
    it.clock.advance(300_000);
    it.successes.note('artifacts/put', it.clock.now() - 1);
    end = await it.attempt();
  }
  assert.deepEqual(end, recorded);
  assert.equal(it.runs()[0]?.tags.get('sidecar.shed'), 'call.json');
});

test('artifacts that are refused stop neither params nor metrics', async (t) => {
  const it = await setUp(t);
  it.mlflow.fault = (request) => (request === 'artifacts/put' ? { status: 403 } : undefined);
  const end = await it.attempt();
  assert.ok(end.kind === 'held');
  assert.equal(end.by, 'artifacts');
  assert.equal(it.runs()[0]?.metrics.get('total_tokens'), 28);
  it.mlflow.fault = () => undefined;
  assert.deepEqual(await it.attempt(), recorded);
  assert.ok(it.runs()[0]?.artifacts.has('call.json'));
});

test('what could not be kept with a run is said on the run', async (t) => {
  const it = await setUp(t);
  it.loseBody();
  assert.deepEqual(await it.attempt(), recorded);
  assert.equal(it.runs()[0]?.tags.get('sidecar.shed'), 'call.json');
});

test('a failed call has its traceback beside its body', async (t) => {
  const it = await setUp(
    t,
    litellmEvent(1, {
      status: 'failure',
      error_information: { error_class: 'Timeout', error_code: '408', traceback: 'File "x.py"' },
    }),
  );
  assert.deepEqual(await it.attempt(), recorded);
  const [run] = it.runs();
  assert.equal(run?.status, 'FAILED');
  assert.equal(run?.tags.get('error_type'), 'timeout');
  assert.equal(run?.artifacts.get('traceback.txt')?.toString(), 'File "x.py"');
});

test('a deleted experiment is restored, and one that another made first is used', async (t) => {
  const it = await setUp(t);
  it.mlflow.experiments.set('/e', { id: '7', deleted: true });
  assert.deepEqual(await it.attempt(), recorded);
  assert.equal(it.runs()[0]?.experimentId, '7');
  assert.equal(it.mlflow.experiments.get('/e')?.deleted, false);

  const raced = await setUp(t);
  raced.mlflow.fault = (request) => {
    if (request === 'experiments/create') {
      raced.mlflow.experiments.set('/e', { id: '9', deleted: false });
    }
    return undefined;
  };
  assert.deepEqual(await raced.attempt(), recorded);
  assert.equal(raced.runs()[0]?.experimentId, '9');
});
