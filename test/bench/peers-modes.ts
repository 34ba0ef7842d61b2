import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { postEvents } from '../support/post-events.ts';
import { type Sidecar, startSidecar } from '../support/sidecar.ts';
import { waitUntil } from '../support/wait-until.ts';

/** What a sidecar is to record. */
export interface Mode {
  readonly name: string;
  readonly holds: string;
  readonly record: Readonly<Record<'RUNS' | 'CALLS' | 'TRACES' | 'USAGE', string>>;
  /** Requests a second; as fast as MLflow answers unless told. */
  readonly ration?: number;
}

const on = { CALLS: 'on', TRACES: 'on', USAGE: 'on' };
const off = { CALLS: 'off', TRACES: 'off', USAGE: 'off' };

/** How long runs may wait, in seconds, so that a low ration shows within the time of a benchmark. */
const drain = 10;

export const modes: readonly Mode[] = [
  { name: 'runs: all', record: { RUNS: 'all', ...off }, holds: 'a run each' },
  {
    name: 'runs: auto, 10 requests a second',
    ...{ record: { RUNS: 'auto', ...on }, ration: 10 },
    holds: 'failures’ and a sample’s runs, and all below',
  },
  {
    name: 'runs: off',
    record: { RUNS: 'off', ...on },
    holds: 'usage, table, archive, a trace each',
  },
  {
    name: 'traces alone',
    record: { RUNS: 'off', ...off, TRACES: 'on' },
    holds: 'a trace each',
  },
];

const callsAPost = 50;

/**
 * Posts the calls to a sidecar of this mode, at once, and ends it when nothing waits any more but what
 * the end of an interval or of a chunk would send, which its stop does. Returns the seconds from the
 * first post on.
 */
export async function measureMode(
  { name, record, ration }: Mode,
  to: { events: readonly unknown[]; trackingUri: string; dir: string },
): Promise<number> {
  const folder = name.replaceAll(/\W+/g, '-');
  const config = join(to.dir, `${folder}.yaml`);
  await writeFile(config, `record: { maxDrain: ${drain}s }\nshutdown: { grace: 60s }\n`);
  const sidecar = await startSidecar({
    trackingUri: to.trackingUri,
    experiment: `/${folder}`,
    env: {
      SIDECAR_CONFIG: config,
      ...(ration !== undefined && { SIDECAR_REQUESTS_PER_SECOND: String(ration) }),
      ...Object.fromEntries(
        Object.entries(record).map(([what, how]) => [`SIDECAR_RECORD_${what}`, how]),
      ),
    },
  });
  try {
    const began = performance.now();
    for (let first = 0; first < to.events.length; first += callsAPost) {
      await postEvents(sidecar.eventsUrl, to.events.slice(first, first + callsAPost));
    }
    await untilSent(sidecar);
    await sidecar.stop();
    return (performance.now() - began) / 1000;
  } finally {
    await sidecar.close();
  }
}

async function untilSent(sidecar: Sidecar): Promise<void> {
  const look = async () => {
    const metrics = await sidecar.metrics();
    const waits = ['run', 'trace'].map(
      (what) => metrics[`litellm_mlflow_detail_pending{for="${what}"}`] ?? 0,
    );
    return waits.every((count) => count === 0) || undefined;
  };
  await waitUntil(look, { what: 'runs and traces to be sent', withinMs: 600_000, everyMs: 250 });
}
