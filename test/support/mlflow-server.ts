import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Child, type ChildError, startChild } from './child.ts';
import { freePort } from './free-port.ts';
import { mlflowPinsOf, newestMlflow, newestPythonOf, pythonEnv } from './python-env.ts';
import { serverEnvironment } from './server-environment.ts';

export interface MlflowServer {
  /** `http://127.0.0.1:PORT`, the same over all restarts. */
  readonly url: string;
  readonly port: number;
  /** Holds database, artifacts and log; removed by `close` if the server made it. */
  readonly dir: string;
  readonly logFile: string;
  tail(lines?: number): string;
  /** Ends the process and keeps the data. */
  stop(): Promise<void>;
  /** Starts it again on the same data and port. */
  start(): Promise<void>;
  restart(): Promise<void>;
  /** Ends the process and removes the data. */
  close(): Promise<void>;
}

export interface MlflowServerOptions {
  /** A temporary folder unless told. */
  readonly dir?: string;
  readonly port?: number;
  /** The release of MLflow; the newest that is pinned unless told. */
  readonly version?: string;
  /** More Python packages than `mlflowPinsOf` has (`name==version`). */
  readonly packages?: readonly string[];
  /** Its database; SQLite in `dir` unless told. */
  readonly backendStoreUri?: string;
  /** Where clients put artifacts by themselves, such as `s3://bucket/prefix`; behind its proxy unless told. */
  readonly artifactRoot?: string;
  /** More of the server's environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Web server workers, 1 unless told. */
  readonly workers?: number;
  /** More arguments of `mlflow server`, such as `--allowed-hosts`. */
  readonly args?: readonly string[];
  readonly progress?: (line: string) => void;
  /** Told when it ends without being asked to. */
  readonly onUnexpectedEnd?: (error: ChildError) => void;
}

/** A real MLflow tracking server at 127.0.0.1; resolves when it answers on /health. */
export async function startMlflow(options: MlflowServerOptions = {}): Promise<MlflowServer> {
  const { version = newestMlflow, packages = [], workers = 1, args = [], progress } = options;
  const env = await pythonEnv([...new Set([...mlflowPinsOf(version), ...packages])], {
    upToPython: newestPythonOf(version),
    ...(progress === undefined ? {} : { progress }),
  });
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'mlflow-')));
  await mkdir(dir, { recursive: true });
  const port = options.port ?? (await freePort());
  const url = `http://127.0.0.1:${port}`;
  const logFile = join(dir, 'mlflow.log');

  const backendStore = options.backendStoreUri ?? `sqlite:///${dir}/mlflow.db`;
  const artifacts =
    options.artifactRoot === undefined
      ? ['--artifacts-destination', join(dir, 'artifacts')]
      : ['--no-serve-artifacts', '--default-artifact-root', options.artifactRoot];

  const run = () =>
    startChild({
      name: 'MLflow',
      command: env.python,
      args: [
        ...['-m', 'mlflow', 'server', '--host', '127.0.0.1', '--port', String(port)],
        ...['--workers', String(workers), '--backend-store-uri', backendStore],
        ...[...artifacts, ...args],
      ],
      env: serverEnvironment(env, {
        MLFLOW_DISABLE_TELEMETRY: 'true',
        // Its job runner starts processes that these tests do not need.
        MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
        ...options.environment,
      }),
      cwd: dir,
      logFile,
      onUnexpectedEnd: options.onUnexpectedEnd,
      ready: { url: `${url}/health` },
      readyWithinMs: 90_000,
    });

  let child: Child | undefined = await run();
  const stop = async () => {
    await child?.stop();
    child = undefined;
  };
  const start = async () => {
    child ??= await run();
  };
  return {
    url,
    port,
    dir,
    logFile,
    tail: (lines) => child?.tail(lines) ?? '',
    stop,
    start,
    restart: async () => {
      await stop();
      await start();
    },
    close: async () => {
      await stop();
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
    },
  };
}
