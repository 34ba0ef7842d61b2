import { resolve } from 'node:path';
import { type App, startApp } from '../app.ts';
import { JournalError } from '../journal/journal.ts';
import { createLog } from '../observe/log.ts';
import { destinationSetting } from '../settings/destination.ts';
import type { Environment } from '../settings/environment.ts';
import { loadSettings, settingsFiles } from '../settings/load-settings.ts';
import { reportProblems } from '../settings/report-problems.ts';
import { watchFiles } from '../settings/watch-files.ts';
import { exitCodes } from './exit-codes.ts';
import { keepHeapSmall } from './keep-heap-small.ts';
import { printError } from './print.ts';
import { version } from './version.ts';

/** `serve`: the daemon. Resolves with the exit code when it has stopped. */
export async function serve(environment: Environment): Promise<number> {
  const stopping = new AbortController();
  const started = Promise.withResolvers<Started>();
  keepReloading(environment, started.promise, stopping.signal);
  const loaded = loadSettings(environment);
  if (loaded.kind === 'invalid') {
    printError(reportProblems(loaded.problems, loaded.file));
    return exitCodes.settings;
  }
  const { settings } = loaded;
  const log = await createLog(settings.log.level);
  for (const warning of loaded.warnings) log.warn(warning);
  if (settings.server.authToken === undefined && !isLoopback(settings.server.host)) {
    log.warn(
      { host: settings.server.host },
      'anybody who reaches this address may post: set SIDECAR_AUTH_TOKEN',
    );
  }

  const ended = Promise.withResolvers<number>();
  const onFatal = (reason: string) => {
    log.fatal({ reason }, 'the journal failed; the process ends so that it can start anew');
    ended.resolve(exitCodes.failure);
  };
  const app = await startApp({ settings, version: version(), log, onFatal }).catch((error) => {
    const code = error instanceof JournalError ? error.code : codeOf(error);
    if (code === undefined) throw error;
    log.fatal({ code }, error.message);
    return undefined;
  });
  if (app === undefined) return exitCodes.failure;
  keepHeapSmall();

  const setting = destinationSetting(settings);
  const destination =
    setting.kind === 'url' ? setting.url.href : setting.kind === 'arn' ? setting.arn : setting.name;
  const { experiment, runs } = settings.record;
  if (runs === 'all') {
    log.warn(
      'record.runs is all: every call gets a run, which takes three requests or more and stays in MLflow for good; /healthz tells how many that is a year',
    );
  }
  const journal = resolve(settings.journal.dir);
  log.info(
    { url: app.url, destination, experiment, journal },
    `recording the calls posted to ${app.url}`,
  );
  started.resolve({ app, isInFile: loaded.isInFile });
  onSignals(() => {
    stopping.abort();
    log.info('stopping: no more calls are taken, those that are due are still recorded');
    app.stop().then(() => ended.resolve(exitCodes.ok), ended.reject);
  });
  const code = await ended.promise;
  log.info('stopped');
  // Requests that were let go may still hold sockets open; what they brought is in the journal.
  process.exit(code);
}

/** The daemon as it runs, and whether a file said something of its settings. */
interface Started {
  app: App;
  isInFile: boolean;
}

/** How often the files of the settings are looked at, in milliseconds. */
const watchInterval = 2_000;

/**
 * Reads the settings again whenever their files change or a SIGHUP asks for it, in turn. It begins
 * before they are read for the first time, so that no change falls between.
 */
function keepReloading(
  environment: Environment,
  started: Promise<Started>,
  signal: AbortSignal,
): void {
  let reloading = started;
  const reload = () => {
    reloading = reloading.then(async (last) => {
      if (signal.aborted) return last;
      const loaded = loadSettings(environment, last.isInFile);
      await last.app.reload(loaded);
      return loaded.kind === 'valid' ? { ...last, isInFile: loaded.isInFile } : last;
    });
  };
  process.on('SIGHUP', reload);
  void watchFiles(() => settingsFiles(environment), reload, { signal, intervalMs: watchInterval });
}

/** The first signal stops, the second ends at once. */
function onSignals(stop: () => void): void {
  let asked = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (asked) process.exit(exitCodes.failure);
      asked = true;
      stop();
    });
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

/** Codes of system calls, such as EADDRINUSE; other errors are bugs. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' && /^E[A-Z]+$/.test(error.code) ? error.code : undefined;
}
