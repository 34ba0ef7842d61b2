import { admitCall } from '../support/admitted-call.ts';
import { startChunkLine } from '../support/chunk-line.ts';
import { type MemoryCall, memoryChunks } from '../support/memory-chunks.ts';
import { mlflowReader } from '../support/mlflow-reader.ts';
import { postEvents } from '../support/post-events.ts';
import { startSidecar } from '../support/sidecar.ts';
import { startTraceLine } from '../support/trace-line.ts';
import { day0, minute } from '../support/usage-journal.ts';
import { startUsageLine } from '../support/usage-line.ts';
import { type DayCall, now } from './day-calls.ts';

/** Where the sidecar records by default. */
export const experiment = '/litellm-monitoring';

const interval = 5 * minute;
const chunkLength = 15 * minute;
/** So many that MLflow has taken them before the line gives up waiting for it. */
const tracesAtOnce = 400;

/**
 * Records a day of calls in an MLflow as the sidecar does, by a clock that runs through the day: usage,
 * the chunks of the last three hours, a trace of each call, and runs of the failures and of the last half hour.
 */
export async function recordDay(
  t: { after(end: () => unknown): unknown },
  url: string,
  calls: readonly DayCall[],
  say: (what: string) => void,
): Promise<void> {
  say('usage');
  await recordUsage(t, url, calls);
  say('traces');
  await recordTraces(t, url, calls);
  say('chunks');
  await recordChunks(t, url, calls);
  say('runs');
  await recordRuns(url, calls);
}

async function recordUsage(
  t: { after(end: () => unknown): unknown },
  url: string,
  calls: readonly DayCall[],
): Promise<void> {
  const line = startUsageLine(t, url, {}, 0);
  for (let from = day0; from < now; from += interval) {
    const events = within(calls, from, from + interval).map(({ event }) => event);
    if (events.length > 0) line.append(...events);
    line.clock.advance(interval - 5_000);
    await line.pass(5_000);
  }
  // The runs of models and teams follow at a pace of their own.
  await line.pass(2 * minute);
  await line.stop();
  await rename(url, '/e/usage', `${experiment}/usage`);
}

async function recordTraces(
  t: { after(end: () => unknown): unknown },
  url: string,
  calls: readonly DayCall[],
): Promise<void> {
  const line = startTraceLine(t, url);
  for (let first = 0; first < calls.length; first += tracesAtOnce) {
    const some = calls.slice(first, first + tracesAtOnce);
    line.append(
      some.map(({ event }) => event),
      experiment,
    );
    while (line.counts().waiting > 0) await line.pass(1_000);
  }
  await line.stop();
}

async function recordChunks(
  t: { after(end: () => unknown): unknown },
  url: string,
  calls: readonly DayCall[],
): Promise<void> {
  const chunks = Array.from({ length: 12 }, (_, index) => {
    const from = now - (12 - index) * chunkLength;
    const kept = within(calls, from, from + chunkLength).map(({ at, event }, place): MemoryCall => {
      const { record, body } = admitCall(event, at);
      return { seq: index * 10_000 + place + 1, receivedAt: at, record, content: body };
    });
    return { id: index + 1, calls: kept };
  });
  const line = await startChunkLine(t, url, memoryChunks(chunks), { previews: true });
  await line.pass(minute);
  await line.stop();
  await rename(url, '/e/calls', `${experiment}/calls`);
}

async function recordRuns(url: string, calls: readonly DayCall[]): Promise<void> {
  const sidecar = await startSidecar({ trackingUri: url, experiment });
  try {
    const ofRuns = calls.filter(({ at, isFailure }) => isFailure || at > now - 30 * minute);
    await postEvents(
      sidecar.eventsUrl,
      ofRuns.map(({ event }) => event),
    );
    await sidecar.drained(300_000);
  } finally {
    await sidecar.close();
  }
}

function within(calls: readonly DayCall[], from: number, to: number): DayCall[] {
  return calls.filter(({ at }) => at >= from && at < to);
}

async function rename(url: string, from: string, to: string): Promise<void> {
  const found = await mlflowReader(url).experiment(from);
  const response = await fetch(`${url}/api/2.0/mlflow/experiments/update`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ experiment_id: found?.id, new_name: to }),
  });
  if (!response.ok) throw new Error(`MLflow answered ${response.status} to a new name`);
}
