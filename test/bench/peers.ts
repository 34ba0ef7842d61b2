import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderTable } from '../demo/table.ts';
import { type CountingProxy, startCountingProxy } from '../support/counting-proxy.ts';
import { startEventRecorder } from '../support/event-recorder.ts';
import { startFakeUpstream } from '../support/fake-upstream.ts';
import { litellmClient } from '../support/litellm-client.ts';
import { keys } from '../support/litellm-keys.ts';
import { startMlflow } from '../support/mlflow-server.ts';
import { newestMlflow, type PythonEnv } from '../support/python-env.ts';
import { runProgram } from '../support/run-program.ts';
import { serverEnvironment } from '../support/server-environment.ts';
import { traceReader } from '../support/trace-reader.ts';
import { waitUntil } from '../support/wait-until.ts';
import { litellmWithMlflow, startLoggingProxy } from './litellm-with-mlflow.ts';
import { measureMode, modes } from './peers-modes.ts';

const calls = 500;
/** A call in so many fails. */
const failing = 10;

/** What a way to log the calls took. */
interface Taken {
  readonly way: string;
  readonly requests: number;
  /** Those of them that brought files. */
  readonly files: number;
  readonly seconds: number;
  /** What MLflow then holds of the calls. */
  readonly holds: string;
}

/**
 * Requests to a real MLflow for each of the same 500 calls, by what logs them: LiteLLM's own `mlflow`
 * callback in a real LiteLLM Proxy, which also posts the calls that all others then log; MLflow's Python
 * client in both its forms; and the sidecar by mode, from its start to its stop.
 */
export async function measurePeers(): Promise<void> {
  const cleanUp: (() => unknown)[] = [];
  const opened = <T extends { close(): unknown }>(part: T): T => {
    cleanUp.push(() => part.close());
    return part;
  };
  const dir = await mkdtemp(join(tmpdir(), 'sidecar-bench-'));
  cleanUp.push(() => rm(dir, { recursive: true, force: true }));
  const say = (text: string) => process.stderr.write(`  ${text}\n`);
  try {
    const env = await litellmWithMlflow(say);
    const mlflow = opened(await startMlflow({ dir: join(dir, 'mlflow') }));
    const counter = opened(await startCountingProxy(mlflow.url));
    const taken: Taken[] = [];
    const measured = async (way: string, holds: string, run: () => Promise<number>) => {
      say(way);
      counter.reset();
      const seconds = await run();
      const files = counter.count('PUT', /\/mlflow-artifacts\//);
      for (const [request, count] of byKind(counter)) say(`${count} ${request}`);
      taken.push({ way, requests: counter.requests.length, files, seconds, holds });
    };

    const recorder = opened(await startEventRecorder());
    await measured('LiteLLM’s mlflow callback', 'a trace each', () =>
      byCallback(env, dir, { counter, recorder, mlflowUrl: mlflow.url }),
    );
    const events = recorder.events.slice(0, calls);
    const file = join(dir, 'calls.json');
    await writeFile(file, JSON.stringify(events));
    const byHand = (way: string) => inPython(env, [way, file], counter.url);
    await measured('mlflow.start_run and its log calls', 'a run each', () => byHand('fluent'));
    await measured('MlflowClient', 'a run each', () => byHand('client'));
    for (const mode of modes) {
      await measured(`sidecar, ${mode.name}`, mode.holds, () =>
        measureMode(mode, { events, trackingUri: counter.url, dir }),
      );
    }
    report(taken);
  } finally {
    for (const end of cleanUp.reverse()) await end();
  }
}

/** Requests by what they ask for, whichever trace they ask it of. */
function byKind(counter: CountingProxy): Map<string, number> {
  const kinds = new Map<string, number>();
  for (const [request, count] of Object.entries(counter.counts())) {
    const kind = request.replace(/tr-[0-9a-f]{32}/, 'tr-*');
    kinds.set(kind, (kinds.get(kind) ?? 0) + count);
  }
  return kinds;
}

async function byCallback(
  env: PythonEnv,
  dir: string,
  to: {
    counter: CountingProxy;
    recorder: Awaited<ReturnType<typeof startEventRecorder>>;
    mlflowUrl: string;
  },
): Promise<number> {
  const upstream = await startFakeUpstream();
  const experiment = '/callback';
  const { url, child } = await startLoggingProxy({
    ...{ env, experiment, upstreamUrl: upstream.url, dir: join(dir, 'litellm') },
    ...{ eventsUrl: to.recorder.eventsUrl, trackingUri: to.counter.url },
  });
  try {
    const began = performance.now();
    const people = Object.keys(keys);
    const left = Array.from({ length: calls }, (_, index) => index);
    const worker = async () => {
      for (let index = left.shift(); index !== undefined; index = left.shift()) {
        const wish = index % failing === failing - 1 ? ' fake:rate-limit' : '';
        const client = litellmClient(url, people[index % people.length] ?? '');
        await client.chat('gpt-4o-mini', `Name river ${index + 1}.${wish}`, { temperature: 0.2 });
      }
    };
    await Promise.all([worker(), worker(), worker(), worker()]);
    await to.recorder.waitFor(calls, 60_000);
    const { traces } = traceReader(to.mlflowUrl);
    await waitUntil(async () => (await traces(experiment)).length >= calls || undefined, {
      ...{ what: 'the traces of the callback', withinMs: 300_000, everyMs: 1_000 },
    });
    return (performance.now() - began) / 1000;
  } finally {
    await child.stop();
    await upstream.close();
  }
}

async function inPython(
  env: PythonEnv,
  args: readonly string[],
  trackingUri: string,
): Promise<number> {
  const script = join(import.meta.dirname, 'peers.py');
  const { code, output } = await runProgram(env.python, [script, ...args], {
    withinMs: 900_000,
    env: serverEnvironment(env, {
      MLFLOW_TRACKING_URI: trackingUri,
      MLFLOW_DISABLE_TELEMETRY: 'true',
    }),
  });
  const seconds = /^seconds (\S+)$/m.exec(output)?.[1];
  if (code !== 0 || seconds === undefined) throw new Error(`${script} failed:\n${output}`);
  return Number(seconds);
}

function report(taken: readonly Taken[]): void {
  const base = taken[0]?.requests ?? Number.NaN;
  const rows = taken.map(({ way, requests, files, seconds, holds }) => [
    way,
    (requests / calls).toFixed(requests < calls / 2 ? 3 : 2),
    (files / calls).toFixed(2),
    (requests / base).toFixed(requests < base / 4 ? 3 : 2),
    seconds.toFixed(1),
    holds,
  ]);
  const numbers = ['requests a call', 'of them files', 'ratio', 'seconds'];
  const columns = [
    { title: 'way', align: 'left' as const },
    ...numbers.map((title) => ({ title, align: 'right' as const })),
    { title: 'MLflow then holds', align: 'left' as const },
  ];
  process.stdout.write(
    `Requests to MLflow ${newestMlflow} for each of the same ${calls} calls, a tenth of them failures\n` +
      `${renderTable(columns, rows)}\n`,
  );
}
