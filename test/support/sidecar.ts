import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Child, type ChildError, type Exit, startChild } from './child.ts';
import { freePort } from './free-port.ts';
import { planted, plantedSecret, textsIn } from './planted.ts';
import { filesWith } from './search-files.ts';
import { serverEnvironment } from './server-environment.ts';
import { waitUntil } from './wait-until.ts';

export interface SidecarOptions {
  readonly trackingUri: string;
  /** The sidecar's default unless told. */
  readonly experiment?: string;
  /** No authorization unless told. */
  readonly token?: string;
  /** A temporary folder unless told. */
  readonly dir?: string;
  readonly port?: number;
  /** More environment; `undefined` takes a variable away that is there unless told. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What its data folder may not hold under its settings, beside secrets, which it never may. */
  readonly forbidden?: readonly string[];
  /** Told when it ends without being asked to. */
  readonly onUnexpectedEnd?: (error: ChildError) => void;
}

export interface Sidecar {
  readonly url: string;
  /** Where LiteLLM posts to. */
  readonly eventsUrl: string;
  readonly pid: number;
  /** Holds journal and log. */
  readonly dir: string;
  readonly logFile: string;
  tail(lines?: number): string;
  /** SIGTERM; resolves with how it ended. */
  stop(): Promise<Exit>;
  /** SIGKILL, as the out-of-memory killer does it. */
  kill(): Promise<Exit>;
  /** Starts it again with the same journal, port and environment, after `stop` or `kill`. */
  start(): Promise<void>;
  restart(): Promise<void>;
  /** All samples of /metrics by name, labels included as they stand: `name{a="b"}`. */
  metrics(): Promise<Readonly<Record<string, number>>>;
  /** Resolves when no call is pending; throws after `withinMs` (30 s). */
  drained(withinMs?: number): Promise<void>;
  /**
   * Stops it and removes a temporary folder. Throws where its log, its metrics or its health hold
   * anything of what tests plant in prompts, answers and secrets (`planted.ts`), or a file of its data
   * folder, before the stop or after it, a secret.
   */
  close(): Promise<void>;
}

/** The daemon itself, from its sources, as a process of its own; resolves when /healthz answers 200. */
export async function startSidecar(options: SidecarOptions): Promise<Sidecar> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'sidecar-')));
  await mkdir(dir, { recursive: true });
  const port = options.port ?? (await freePort());
  const url = `http://127.0.0.1:${port}`;
  const logFile = join(dir, 'sidecar.log');
  const { experiment, token } = options;

  const run = () =>
    startChild({
      name: 'the sidecar',
      command: process.execPath,
      args: ['--import', 'tsx', 'src/main.ts', 'serve'],
      env: serverEnvironment(undefined, {
        MLFLOW_TRACKING_URI: options.trackingUri,
        SIDECAR_HOST: '127.0.0.1',
        SIDECAR_PORT: String(port),
        SIDECAR_DATA_DIR: join(dir, 'data'),
        // What an interval of the clock adds to the requests would be another at each run.
        SIDECAR_RECORD_USAGE: 'off',
        SIDECAR_RECORD_CALLS: 'off',
        SIDECAR_RECORD_TRACES: 'off',
        SIDECAR_RECORD_RUNS: 'all',
        // All that it ever says is searched for what was planted.
        SIDECAR_LOG_LEVEL: 'trace',
        ...(experiment === undefined ? {} : { MLFLOW_EXPERIMENT_NAME: experiment }),
        ...(token === undefined ? {} : { SIDECAR_AUTH_TOKEN: token }),
        ...options.env,
      }),
      logFile,
      onUnexpectedEnd: options.onUnexpectedEnd,
      ready: { url: `${url}/healthz` },
      readyWithinMs: 30_000,
      stopWithinMs: 20_000,
    });

  let child: Child = await run();
  let isRunning = true;
  const end = async (how: 'stop' | 'kill') => {
    isRunning = false;
    return how === 'stop' ? child.stop() : child.kill();
  };
  const start = async () => {
    if (isRunning) return;
    child = await run();
    isRunning = true;
  };
  const metrics = async () => parseMetrics(await (await fetch(`${url}/metrics`)).text());
  /** What it says over HTTP; nothing, where it has ended by itself. */
  const saidNow = async (): Promise<string> => {
    const ask = async (path: string) => (await fetch(url + path)).text();
    if (!isRunning) return '';
    return (await Promise.all(['/metrics', '/healthz'].map(ask)).catch(() => [])).join('\n');
  };
  const data = join(dir, 'data');
  const never = [plantedSecret, ...ownSecrets(token, options.env), ...(options.forbidden ?? [])];
  /** What files of the data folder hold that may not be there; a test's own may have gone before. */
  const filesKept = () => (existsSync(data) ? filesWith(never, data) : []);
  return {
    url,
    eventsUrl: `${url}/v1/events`,
    get pid() {
      return child.pid;
    },
    dir,
    logFile,
    tail: (lines) => child.tail(lines),
    stop: () => end('stop'),
    kill: () => end('kill'),
    start,
    restart: async () => {
      await end('stop');
      await start();
    },
    metrics,
    drained: async (withinMs = 30_000) => {
      const look = async () => (await metrics())['litellm_mlflow_calls_pending'] === 0 || undefined;
      await waitUntil(look, { what: 'the sidecar to record what is pending', withinMs });
    },
    close: async () => {
      const said = await saidNow();
      // Of the log there is nothing left after the stop.
      const files = filesKept();
      await end('stop');
      files.push(...filesKept());
      // A test's own folder may have gone before.
      const log = await readFile(logFile).catch(() => Buffer.alloc(0));
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
      assert.deepEqual(files, [], 'its data folder holds what may not be there');
      assert.deepEqual(textsIn(log, [planted]), [], 'its log holds what was planted');
      const found = textsIn(Buffer.from(said), [planted]);
      assert.deepEqual(found, [], 'its metrics or its health hold what was planted');
    },
  };
}

/** The credentials that it is given, where they are long enough to be told from other words. */
function ownSecrets(token = '', env: SidecarOptions['env'] = {}): string[] {
  const names = ['SIDECAR_REDACT_HASH_KEY', 'MLFLOW_TRACKING_PASSWORD', 'MLFLOW_TRACKING_TOKEN'];
  return [token, ...names.map((name) => env[name] ?? '')].filter(({ length }) => length > 10);
}

/** Prometheus' text format; comments and timestamps are left out. */
export function parseMetrics(text: string): Record<string, number> {
  const samples: Record<string, number> = {};
  for (const line of text.split('\n')) {
    const sample = /^([a-zA-Z_:][\w:]*(?:\{.*\})?)\s+(\S+)/.exec(line);
    if (sample?.[1] !== undefined) samples[sample[1]] = Number(sample[2]);
  }
  return samples;
}
