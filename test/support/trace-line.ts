import type { StoredObject } from '../../src/aws/s3.ts';
import { createBodyRoom } from '../../src/deliver/body-room.ts';
import { createExperiments } from '../../src/deliver/experiments.ts';
import { createHold } from '../../src/deliver/hold.ts';
import { deliverTraces } from '../../src/deliver/traces/traces-delivery.ts';
import { createUntilKept } from '../../src/deliver/until-kept.ts';
import type { TracedCall } from '../../src/journal/detail.ts';
import { createArtifacts } from '../../src/mlflow/artifacts.ts';
import { createMlflowClient } from '../../src/mlflow/client.ts';
import { createHttpTransport } from '../../src/mlflow/http-transport.ts';
import type { TracesWay, TracesWish } from '../../src/mlflow/traces-client.ts';
import { createTracesClient } from '../../src/mlflow/traces-client.ts';
import { admitCall } from './admitted-call.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';
import { waitUntil } from './wait-until.ts';

/** Calls that want a trace, kept in memory as the journal keeps them on disk. */
interface KeptCall extends TracedCall {
  body: Buffer;
  end?: 'kept' | 'given up';
}

/** The delivery of traces to a server, by a clock that a test moves. */
export interface TraceLine {
  clock: FakeClock;
  calls: KeptCall[];
  /** How many wait, have a trace, and were given up. */
  counts(): { waiting: number; kept: number; givenUp: number };
  ways: TracesWay['kind'][];
  losses: string[];
  /** The URIs of what was put into S3. */
  stored: string[];
  isWaived(): boolean;
  /** What is held against traces; absent where nothing is. */
  held(): string | undefined;
  append(events: readonly Record<string, unknown>[], experiment?: string): void;
  traceIdOf(number: number): string;
  /** Lets time pass, in steps. */
  pass(ms: number): Promise<void>;
  /** Ends the delivery, as a stop of the process does. */
  stop(): Promise<void>;
  /** Begins it again, with nothing in memory. */
  start(): void;
}

const step = 1_000;

export interface TraceLineOptions {
  wish?: TracesWish;
  /** MLflow is asked for presigned URLs. */
  presigned?: boolean;
  /** The system's clock in place of one that stands still. */
  timeoutMs?: number;
}

export function startTraceLine(
  t: { after(end: () => unknown): unknown },
  url: string,
  options: TraceLineOptions = {},
): TraceLine {
  const clock = fakeClock();
  const calls: KeptCall[] = [];
  const ways: TracesWay['kind'][] = [];
  const losses: string[] = [];
  const stored: string[] = [];
  let isWaived = false;
  let hold = createHold({ clock, random: () => 0.5, onChange: () => undefined });
  let line: { stop(): Promise<void>; isOver(): boolean } | undefined;

  const journal = {
    wantingTraces: async (limit: number, after: number): Promise<TracedCall[]> => {
      const waiting = calls.filter((call) => call.end === undefined && call.seq > after);
      return waiting.slice(0, limit).map(({ body, end, ...call }) => call);
    },
    beginTraces: async (seqs: readonly number[]) => {
      for (const call of calls) if (seqs.includes(call.seq)) call.begunBefore = true;
    },
    tracesEnded: async (seqs: readonly number[], end: 'kept' | 'given up') => {
      for (const call of calls) if (seqs.includes(call.seq)) call.end = end;
    },
    waiveTraces: async (waived: boolean) => {
      isWaived = waived;
    },
    body: async (seq: number, place?: Uint8Array<SharedArrayBuffer>) => {
      const body = calls.find((call) => call.seq === seq)?.body;
      if (body === undefined || place === undefined) return body;
      place.set(body);
      return place;
    },
  };

  const start = () => {
    const over = new AbortController();
    hold = createHold({ clock, random: () => 0.5, onChange: () => undefined });
    const transport = createHttpTransport({
      url: new URL(url),
      connections: 4,
      timeoutMs: () => options.timeoutMs ?? 60_000,
    });
    const client = { now: clock.now, onOutcome: () => undefined };
    const mlflow = createMlflowClient(transport.send, client);
    const objects = {
      put: async ({ bucket, key }: StoredObject) => {
        stored.push(`s3://${bucket}/${key}`);
        return { kind: 'stored' } as const;
      },
      close: () => {},
    };
    let isOver = false;
    const ended = deliverTraces({
      journal,
      mlflow: createTracesClient(transport.send, client),
      artifacts: createArtifacts({
        mlflow,
        objects,
        presigned: options.presigned ?? false,
        ...client,
      }),
      experiments: createExperiments(mlflow),
      wish: options.wish ?? 'auto',
      bodyRoom: createBodyRoom(1_000_000),
      hold,
      untilKept: createUntilKept(clock, over.signal),
      clock,
      random: () => 0.5,
      over: over.signal,
      onWay: (way) => ways.push(way.kind),
      onLoss: (traces, reason) => losses.push(`${traces} ${reason}`),
    }).then(() => {
      isOver = true;
    });
    line = {
      isOver: () => isOver,
      stop: async () => {
        over.abort();
        await transport.close();
        await ended;
      },
    };
  };
  const stop = async () => {
    await line?.stop();
    line = undefined;
  };
  t.after(stop);
  start();

  /** The delivery has done what it can, and sleeps or is over. */
  const atRest = () =>
    waitUntil(() => (clock.sleeping() > 0 || line?.isOver() ? true : undefined), {
      what: 'the delivery of traces to rest',
      withinMs: 60_000,
      everyMs: 1,
    });
  return {
    clock,
    calls,
    counts: () => ({
      waiting: calls.filter(({ end }) => end === undefined).length,
      kept: calls.filter(({ end }) => end === 'kept').length,
      givenUp: calls.filter(({ end }) => end === 'given up').length,
    }),
    ways,
    losses,
    stored,
    isWaived: () => isWaived,
    held: () => {
      const state = hold.state();
      return state.state === 'held' ? state.reason : undefined;
    },
    append: (events, experiment = '/litellm') => {
      for (const event of events) {
        const { record, body } = admitCall(event, clock.now());
        const seq = calls.length + 1;
        const bodyBytes = body.length;
        const receivedAt = clock.now();
        calls.push({ seq, receivedAt, experiment, record, body, bodyBytes, begunBefore: false });
      }
    },
    traceIdOf: (number) => calls[number - 1]?.record.recordId.slice(0, 32) ?? '',
    pass: async (ms) => {
      await atRest();
      for (let passed = 0; passed < ms; passed += step) {
        clock.advance(step);
        await atRest();
      }
    },
    stop,
    start,
  };
}
