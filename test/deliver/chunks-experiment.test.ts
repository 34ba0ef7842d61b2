import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createBodyRoom } from '../../src/deliver/body-room.ts';
import { deliverChunks } from '../../src/deliver/chunks/chunk-delivery.ts';
import { openChunkFolder } from '../../src/deliver/chunks/chunk-folder.ts';
import { createExperiments } from '../../src/deliver/experiments.ts';
import { createHold } from '../../src/deliver/hold.ts';
import { createSuccesses } from '../../src/deliver/successes.ts';
import { createUntilKept, ignoreLostJournal } from '../../src/deliver/until-kept.ts';
import { createArtifacts } from '../../src/mlflow/artifacts.ts';
import { createMlflowClient } from '../../src/mlflow/client.ts';
import { createHttpTransport } from '../../src/mlflow/http-transport.ts';
import { admitCall } from '../support/admitted-call.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { litellmEvent } from '../support/litellm-event.ts';
import { memoryChunks } from '../support/memory-chunks.ts';
import { type Fault, type MinimalMlflow, startMinimalMlflow } from '../support/minimal-mlflow.ts';
import { tempFolder } from '../support/temp-folder.ts';

const minute = 60_000;
const look = 5_000;
const received = 1_795_525_510_000;
const forbidden: Fault = { status: 403, body: { error_code: 'PERMISSION_DENIED', message: 'no' } };

/** Two chunks of one call each, the numbers 7 and 8; the latter is open until it is asked for. */
async function setUp(t: TestContext) {
  const mlflow = await startMinimalMlflow(t);
  const chunks = memoryChunks([
    { id: 7, calls: [call(1)] },
    { id: 8, calls: [call(2)], isOpen: true },
  ]);
  const clock = fakeClock();
  const data = tempFolder(t);
  const fault: { next: MinimalMlflow['fault'] } = { next: () => undefined };
  let kill = (): void => undefined;
  mlflow.fault = (request, body) => fault.next(request, body) ?? elsewhere(mlflow, request, body);

  /** Sends into an experiment, from a start to the stop or `kill` after it. */
  const send = async (experiment: string, ms: number, closeNow = false) => {
    const over = new AbortController();
    const { url } = mlflow;
    const transport = createHttpTransport({
      ...{ url: new URL(url), timeoutMs: () => 20_000, connections: 2 },
    });
    const told = { now: clock.now, onOutcome: () => undefined };
    const client = createMlflowClient(transport.send, told);
    const newHold = () => createHold({ clock, random: () => 0.5, onChange: () => undefined });
    const objects = { put: async () => ({ kind: 'stored' }) as const, close: () => undefined };
    const { journal, body, kill: loseJournal } = chunks.open();
    kill = () => {
      loseJournal();
      over.abort();
    };
    const delivery = deliverChunks({
      ...{ journal, body, journalId: 'j', destination: url, mlflow: client, clock },
      ...{ experiment: () => experiment, archive: () => undefined, previews: () => false },
      ...{ random: () => 0.5, over: over.signal, onLoss: assert.fail, onDiskTrouble: assert.fail },
      artifacts: createArtifacts({ ...told, mlflow: client, objects, presigned: false }),
      experiments: createExperiments(client),
      holds: { mlflow: newHold(), artifacts: newHold() },
      successes: createSuccesses(),
      bodyRoom: createBodyRoom(1_000_000),
      untilKept: createUntilKept(clock, over.signal),
      folder: await openChunkFolder(data),
    });
    for (let passed = 0; passed <= ms && !over.signal.aborted; passed += look) {
      await delivery.flush(closeNow).catch(ignoreLostJournal);
      clock.advance(look);
    }
    over.abort();
    await delivery.ended.catch(ignoreLostJournal);
    await transport.close();
  };
  const runsOf = (id: number) =>
    mlflow
      .runsOf('sidecar.record_id', `j-${id}`)
      .map(({ experimentId, status }) => [nameOf(mlflow, experimentId), status]);
  return { mlflow, chunks, fault, send, kill: () => kill(), runsOf };
}

function call(seq: number) {
  const { record, body } = admitCall(litellmEvent(seq), received);
  return { seq, receivedAt: received, record, content: body };
}

function nameOf({ experiments }: MinimalMlflow, id: unknown): string | undefined {
  return [...experiments].find(([, one]) => one.id === id)?.[0];
}

/** MLflow finds runs in the experiments that it is asked for alone; the minimal one does not look. */
function elsewhere(mlflow: MinimalMlflow, request: string, body: unknown): Fault | undefined {
  if (request !== 'runs/search') return undefined;
  const asked = experimentsIn(body);
  const isThere = [...mlflow.runs.values()].some(({ experimentId }) =>
    asked.includes(experimentId),
  );
  return isThere ? undefined : { status: 200 };
}

function experimentsIn(body: unknown): unknown[] {
  const isSearch = typeof body === 'object' && body !== null && 'experiment_ids' in body;
  return isSearch && Array.isArray(body.experiment_ids) ? body.experiment_ids : [];
}

const onCreate = (fault: Fault) => (request: string) =>
  request === 'runs/create' ? fault : undefined;
const never = () => undefined;

test('after another experiment was set an unclear create is searched for where it was begun', async (t) => {
  const { chunks, fault, send, runsOf } = await setUp(t);
  fault.next = onCreate('drop_after');
  await send('/a/calls', 0);
  fault.next = never;
  await send('/b/calls', 3 * minute);
  assert.deepEqual(runsOf(7), [['/a/calls', 'FINISHED']]);
  assert.equal(chunks.ended.get(7), 'kept');
  await send('/b/calls', 0, true);
  assert.deepEqual(runsOf(8), [['/b/calls', 'FINISHED']], 'what begins later goes there');
});

test('a kill while a create is under way leaves it to be searched for where it was begun', async (t) => {
  const { fault, send, kill, runsOf } = await setUp(t);
  fault.next = (request) => {
    if (request !== 'runs/create') return undefined;
    kill();
    return 'drop_after';
  };
  await send('/a/calls', 0);
  fault.next = never;
  await send('/b/calls', 3 * minute);
  assert.deepEqual(runsOf(7), [['/a/calls', 'FINISHED']]);
});

test('a create that never arrived is sent again to the experiment of the first, which may still come', async (t) => {
  const { mlflow, fault, send, runsOf } = await setUp(t);
  let creates = 0;
  fault.next = (request) => {
    if (request !== 'runs/create') return undefined;
    creates += 1;
    return creates < 3 ? 'drop_before' : undefined;
  };
  await send('/a/calls', 2 * minute);
  fault.next = (request) => {
    if (request === 'runs/log-batch') mlflow.repeatCreate();
    return undefined;
  };
  await send('/b/calls', 3 * minute);
  assert.equal(runsOf(7).filter(([name]) => name !== '/a/calls').length, 0);
  const left = mlflow.runsOf('sidecar.record_id', 'j-7').filter(({ deleted }) => !deleted);
  assert.equal(left.length, 1, 'the second one is found there, and deleted');
});

test('a create that was refused binds a chunk to no experiment', async (t) => {
  const { fault, send, runsOf } = await setUp(t);
  fault.next = onCreate(forbidden);
  await send('/a/calls', minute);
  fault.next = never;
  await send('/b/calls', 2 * minute);
  assert.deepEqual(runsOf(7), [['/b/calls', 'FINISHED']]);
});

test('an experiment that may not be searched any more is left for the one that is set', async (t) => {
  const { mlflow, fault, send, runsOf } = await setUp(t);
  fault.next = onCreate('drop_before');
  await send('/a/calls', 0);
  const ofA = mlflow.experiments.get('/a/calls')?.id;
  fault.next = (_, body) => (experimentsIn(body).includes(ofA) ? forbidden : undefined);
  await send('/b/calls', 4 * minute);
  assert.deepEqual(runsOf(7), [['/b/calls', 'FINISHED']]);
});

test('an experiment that is set is waited for, and the chunk is made there, whatever is set then', async (t) => {
  const { fault, send, runsOf } = await setUp(t);
  fault.next = onCreate('drop_before');
  await send('/a/calls', 0);
  fault.next = () => forbidden;
  await send('/a/calls', 10 * minute);
  fault.next = never;
  await send('/b/calls', 4 * minute);
  assert.deepEqual(runsOf(7), [['/a/calls', 'FINISHED']]);
});

test('a chunk of which nobody kept where it was begun goes to the experiment that is set', async (t) => {
  const { mlflow, chunks, send, runsOf } = await setUp(t);
  const { journal } = chunks.open();
  await journal.chunkProgress(7, { destination: mlflow.url, begunAt: 0 });
  await send('/b/calls', minute);
  assert.deepEqual(runsOf(7), [['/b/calls', 'FINISHED']]);
});
