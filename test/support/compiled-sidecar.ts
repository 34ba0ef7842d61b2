import { copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { startChild } from './child.ts';
import { freePort } from './free-port.ts';
import { runProgram } from './run-program.ts';
import { serverEnvironment } from './server-environment.ts';
import { parseMetrics } from './sidecar.ts';

/** The daemon as it is installed: compiled, without what runs TypeScript, which takes 35 MB. */
export interface CompiledSidecar {
  readonly pid: number;
  /** Where LiteLLM posts to. */
  readonly eventsUrl: string;
  /** Milliseconds from its start to the first 200 of /healthz, give or take a tenth of a second. */
  readonly readyAfter: number;
  /**
   * Milliseconds that processors worked for it until then, which others that want them make hardly
   * longer; absent where nothing tells.
   */
  readonly workedUntilReady: number | undefined;
  metrics(): Promise<Readonly<Record<string, number>>>;
  /** The most memory that was ever resident, in MB of a million bytes; absent where nothing tells. */
  peakMemory(): Promise<number | undefined>;
  stop(): Promise<void>;
}

export interface CompiledSidecarOptions {
  readonly trackingUri: string;
  /** Holds the journal's folder `data`, and gets the log. */
  readonly dir: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Compiles the sources of the moment, and starts them; what was compiled goes when it is stopped. */
export async function startCompiledSidecar(
  options: CompiledSidecarOptions,
): Promise<CompiledSidecar> {
  // Within the project, where its packages are found.
  const build = resolve('.cache', `compiled-${process.pid}`);
  await mkdir(build, { recursive: true });
  await copyFile('package.json', join(build, 'package.json'));
  const compiled = await runProgram(process.execPath, [
    ...['node_modules/typescript/bin/tsc', '-p', 'src/tsconfig.build.json'],
    ...['--outDir', join(build, 'dist')],
  ]);
  if (compiled.code !== 0) throw new Error(`the sources do not compile:\n${compiled.output}`);

  const url = `http://127.0.0.1:${await freePort()}`;
  const began = performance.now();
  const child = await startChild({
    name: 'the compiled sidecar',
    command: process.execPath,
    args: [join(build, 'dist', 'main.js'), 'serve'],
    env: serverEnvironment(undefined, {
      MLFLOW_TRACKING_URI: options.trackingUri,
      SIDECAR_PORT: new URL(url).port,
      SIDECAR_DATA_DIR: join(options.dir, 'data'),
      ...options.env,
    }),
    logFile: join(options.dir, 'sidecar.log'),
    ready: { url: `${url}/healthz` },
    readyWithinMs: 30_000,
    stopWithinMs: 20_000,
  });
  const readyAfter = performance.now() - began;
  const workedUntilReady = await processorTime(child.pid);

  return {
    pid: child.pid,
    eventsUrl: `${url}/v1/events`,
    readyAfter,
    workedUntilReady,
    metrics: async () => parseMetrics(await (await fetch(`${url}/metrics`)).text()),
    peakMemory: async () => {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
      const kilobytes = /VmHWM:\s+(\d+)/.exec(status)?.[1];
      return kilobytes === undefined ? undefined : (Number(kilobytes) * 1024) / 1e6;
    },
    stop: async () => {
      await child.stop();
      await rm(build, { recursive: true, force: true });
    },
  };
}

/** Milliseconds of processor time that a process has used, by Linux's /proc, in hundredths of a second. */
async function processorTime(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name of the program stands in brackets; user and system time are the 12th and 13th behind it.
  const behindName = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user, system] = behindName.slice(11, 13);
  if (user === undefined || system === undefined) return undefined;
  return 10 * (Number(user) + Number(system));
}
