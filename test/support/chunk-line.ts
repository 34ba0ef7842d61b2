import { existsSync, readdirSync } from 'node:fs';
import type { ObjectStore } from '../../src/aws/s3.ts';
import { createBodyRoom } from '../../src/deliver/body-room.ts';
import {
  type ChunkDelivery,
  type ChunkDeliveryParts,
  deliverChunks,
} from '../../src/deliver/chunks/chunk-delivery.ts';
import { openChunkFolder } from '../../src/deliver/chunks/chunk-folder.ts';
import { createExperiments } from '../../src/deliver/experiments.ts';
import { createHold, type DestinationState } from '../../src/deliver/hold.ts';
import { createSuccesses, type Successes } from '../../src/deliver/successes.ts';
import { createUntilKept, ignoreLostJournal } from '../../src/deliver/until-kept.ts';
import { createArtifacts } from '../../src/mlflow/artifacts.ts';
import { createMlflowClient, type OnOutcome } from '../../src/mlflow/client.ts';
import { createHttpTransport } from '../../src/mlflow/http-transport.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';
import type { MemoryChunks } from './memory-chunks.ts';
import { tempFolder } from './temp-folder.ts';

/** Chunks, an MLflow, and the delivery between them, by a clock that a test moves. */
export interface ChunkLine {
  clock: FakeClock;
  successes: Successes;
  /** What MLflow would not take, and what the disk would not. */
  losses: string[];
  troubles: string[];
  /** Files that are on their way. */
  files(): string[];
  /** The folder of those files. */
  folder: string;
  holds(): { mlflow: DestinationState; artifacts: DestinationState };
  /** A file of another run is stored at the clock's time. */
  anotherStored(): void;
  flush(closeNow: boolean): Promise<void>;
  /** Lets time pass, and what is due be sent. */
  pass(ms: number): Promise<void>;
  stop(): Promise<void>;
  /** Ends it as a kill does: nothing more is kept. */
  kill(): Promise<void>;
  /** Begins it again, as after a restart. */
  start(): Promise<void>;
}

export interface ChunkLineOptions {
  archive?: string;
  objects?: ObjectStore;
  previews?: boolean;
}

const noS3: ObjectStore = {
  put: async () => ({ kind: 'failed', name: 'NoSuchThingHere' }),
  close: () => undefined,
};

const look = 5_000;

export async function startChunkLine(
  t: { after(end: () => unknown): unknown },
  url: string,
  chunks: MemoryChunks,
  { archive, objects = noS3, previews = false }: ChunkLineOptions = {},
): Promise<ChunkLine> {
  const clock = fakeClock();
  const data = tempFolder(t);
  const folder = `${data}/outgoing`;
  const successes = createSuccesses();
  const losses: string[] = [];
  const troubles: string[] = [];
  const newHold = () => createHold({ clock, random: () => 0.5, onChange: () => undefined });
  let holds = { mlflow: newHold(), artifacts: newHold() };
  let line: { delivery: ChunkDelivery; end(how: 'stop' | 'kill'): Promise<void> } | undefined;

  const start = async () => {
    const over = new AbortController();
    const transport = createHttpTransport({
      url: new URL(url),
      timeoutMs: () => 20_000,
      connections: 2,
    });
    holds = { mlflow: newHold(), artifacts: newHold() };
    const onOutcome: OnOutcome = (request, outcome) => {
      if (outcome === 'done') successes.note(request, clock.now());
      const answered = outcome === 'done' || outcome === 'reject';
      if (answered && !request.startsWith('artifacts/')) holds.mlflow.succeeded();
    };
    const mlflow = createMlflowClient(transport.send, { now: clock.now, onOutcome });
    const { journal, body, kill } = chunks.open();
    const parts: ChunkDeliveryParts = {
      ...{ journal, body, journalId: 'j', destination: url, mlflow, holds, successes },
      artifacts: createArtifacts({ mlflow, objects, presigned: false, now: clock.now, onOutcome }),
      experiments: createExperiments(mlflow),
      experiment: () => '/e/calls',
      archive: () => archive,
      previews: () => previews,
      bodyRoom: createBodyRoom(1_000_000),
      untilKept: createUntilKept(clock, over.signal),
      folder: await openChunkFolder(data),
      ...{ clock, random: () => 0.5, over: over.signal },
      onLoss: ({ id }, reason) => losses.push(`${id}: ${reason}`),
      onDiskTrouble: ({ id }, code) => troubles.push(`${id}: ${code}`),
    };
    const delivery = deliverChunks(parts);
    const ended = delivery.ended.catch(ignoreLostJournal);
    line = {
      delivery,
      end: async (how) => {
        if (how === 'kill') kill();
        over.abort();
        await transport.close();
        await ended;
      },
    };
  };
  const end = async (how: 'stop' | 'kill') => {
    await line?.end(how);
    line = undefined;
  };
  t.after(() => end('stop'));
  await start();

  return {
    ...{ clock, successes, losses, troubles, folder },
    files: () => (existsSync(folder) ? readdirSync(folder) : []),
    holds: () => ({ mlflow: holds.mlflow.state(), artifacts: holds.artifacts.state() }),
    anotherStored: () => {
      successes.note('artifacts/put', clock.now());
      holds.artifacts.succeeded();
    },
    flush: async (closeNow) => line?.delivery.flush(closeNow),
    pass: async (ms) => {
      for (let passed = 0; passed <= ms; passed += look) {
        await line?.delivery.flush(false).catch(ignoreLostJournal);
        clock.advance(look);
      }
    },
    stop: () => end('stop'),
    kill: () => end('kill'),
    start,
  };
}
