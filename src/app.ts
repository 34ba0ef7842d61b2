import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { type Clock, systemClock } from './deliver/clock.ts';
import { createDelivery } from './deliver/deliver-call.ts';
import { createDispatcher } from './deliver/dispatcher.ts';
import { createExperiments } from './deliver/experiments.ts';
import { gated } from './deliver/gate.ts';
import { createHold, type DestinationState } from './deliver/hold.ts';
import { createRation } from './deliver/ration.ts';
import { createSuccesses } from './deliver/successes.ts';
import { createUntilKept } from './deliver/until-kept.ts';
import { openJournal } from './journal/journal-client.ts';
import { journalOptions, journalPolicy } from './journal-options.ts';
import { createMlflowClient } from './mlflow/client.ts';
import { createHttpTransport } from './mlflow/http-transport.ts';
import { createHealth } from './observe/health.ts';
import { createMetrics } from './observe/metrics.ts';
import {
  reportDamage,
  reportEnd,
  reportHold,
  reportMistakes,
  reportPost,
  reportReload,
} from './observe/report.ts';
import { createControl, listenOnSocket } from './receive/control.ts';
import { createReceiver } from './receive/receiver.ts';
import type { LoadedSettings } from './settings/load-settings.ts';
import { reloadSettings } from './settings/reload.ts';
import type { Settings } from './settings/schema.ts';

export interface App {
  /** Where it listens, such as `http://127.0.0.1:4100`. */
  url: string;
  /**
   * Takes over what can change while it runs of settings that were read again, and says in the log
   * what has changed and what takes a restart. Where there are mistakes, nothing changes.
   */
  reload(read: LoadedSettings): Promise<void>;
  /** Stops the stages in the order of a call's path: nothing new, then what is due, then the end. */
  stop(): Promise<void>;
}

export interface AppParts {
  settings: Settings;
  version: string;
  log: Logger;
  /** The journal's thread died: what was asked of it may or may not be on disk. */
  onFatal: (reason: string) => void;
}

/** Calls under way for each request in flight: while one waits for the journal, another sends. */
const activePerRequest = 2;

/**
 * Builds the stages in the order of a call's path, from the end: MLflow first, then what delivers to
 * it, then the journal, then the receiver.
 *
 * @throws JournalError when the journal cannot be opened; an `Error` with `code` when the address
 *   cannot be listened on.
 */
export async function startApp(parts: AppParts): Promise<App> {
  const { version, log, onFatal } = parts;
  let { settings } = parts;
  const { server, destination } = settings;
  const clock = systemClock;
  const over = new AbortController();
  let stopping = false;

  const journal = await openJournal(journalOptions(settings), onFatal, (damage) =>
    reportDamage(log, damage),
  );

  const holdOf = (name: string) =>
    createHold({
      clock,
      random: Math.random,
      onChange: (state) => reportHold(log, name, state),
    });
  const holds = { mlflow: holdOf('mlflow'), artifacts: holdOf('artifacts') };
  const destinations = (): Record<string, DestinationState> => ({
    mlflow: holds.mlflow.state(),
    artifacts: holds.artifacts.state(),
  });
  const metrics = createMetrics({ account: journal.account, destinations, now: clock.now });

  const url = new URL(destination.trackingUri);
  const transport = createHttpTransport({
    url,
    connections: destination.maxInFlight,
    timeoutMs: () => settings.destination.timeout,
    authorization: () => authorizationOf(settings.destination),
  });
  const ration = createRation(() => settings.destination.requestsPerSecond, clock);
  const successes = createSuccesses();
  const gate = gated({
    send: transport.send,
    ration,
    hold: holds.mlflow,
    maxInFlight: destination.maxInFlight,
  });
  const mlflow = createMlflowClient(gate, {
    now: clock.now,
    onOutcome: (request, outcome, ms) => {
      metrics.requested(request, outcome, ms);
      if (outcome === 'done') successes.note(request, clock.now());
      const answered = outcome === 'done' || outcome === 'reject';
      if (answered && request !== 'artifacts/put') holds.mlflow.succeeded();
    },
  });
  const untilKept = createUntilKept(clock, over.signal, (error) =>
    log.error({ code: error.code }, error.message),
  );
  const dispatcher = createDispatcher({
    journal,
    destination: url.href,
    deliver: createDelivery({
      mlflow,
      experiments: createExperiments(mlflow),
      holds,
      successes,
      keep: (seq, progress) => untilKept(() => journal.progress(seq, progress)),
      body: (seq) => untilKept(() => journal.body(seq)),
      clock,
      random: Math.random,
    }),
    holds,
    maxActive: destination.maxInFlight * activePerRequest,
    clock,
    untilKept,
    onEnd: (call, end) => reportEnd(log, call, end),
  });

  const health = createHealth({
    version,
    account: journal.account,
    destinations,
    rate: ration.rate,
    stopping: () => stopping,
    now: clock.now,
  });
  const control = createControl({
    journal,
    health,
    destination: url.href,
    onRequeued: dispatcher.wake,
    now: clock.now,
  });
  const receiver = createReceiver(
    {
      journal,
      health,
      metrics: metrics.text,
      onAccepted: dispatcher.wake,
      onPost: (report) => {
        metrics.posted(report);
        reportPost(log, report);
      },
      now: clock.now,
      // What Fastify says of itself at its start, `serve` says better.
      log: log.child({}, { level: 'warn' }),
    },
    {
      maxBodyBytes: server.maxBodyBytes,
      maxInflightBytes: server.maxInflightBytes,
      authToken: () => settings.server.authToken,
    },
  );
  dispatcher.start();
  const listens = await listenOnSocket(control, settings.journal.dir).catch(() => false);
  if (!listens) log.warn('no control socket can be made in the data folder: the CLI cannot ask');
  const listening = await receiver
    .listen({ host: server.host, port: server.port })
    .catch(async (error) => {
      over.abort();
      await dispatcher.drain(0);
      await control.close();
      await journal.close();
      throw error;
    });

  return {
    url: listening,
    reload: async (read) => {
      metrics.reloaded(read.kind === 'valid');
      if (read.kind === 'invalid') return reportMistakes(log, read.problems);
      const reload = reloadSettings(settings, read.settings);
      // A journal that cannot take them is about to end the process.
      await journal.reconfigure(journalPolicy(reload.settings)).catch(() => undefined);
      settings = reload.settings;
      reportReload(log, reload);
      log.level = settings.log.level;
    },
    stop: async () => {
      stopping = true;
      const deadline = clock.now() + settings.shutdown.grace;
      await closeReceiver(receiver, clock, settings.shutdown.grace / 2);
      await dispatcher.drain(Math.max(0, deadline - clock.now()));
      over.abort();
      await transport.close();
      await control.close();
      await journal.close();
    },
  };
}

/** Lets posts that are under way end, but for those that take longer than `patienceMs`. */
async function closeReceiver(
  receiver: FastifyInstance,
  clock: Clock,
  patienceMs: number,
): Promise<void> {
  const closed = receiver.close();
  await Promise.race([closed, clock.sleep(patienceMs)]);
  receiver.server.closeAllConnections();
  await closed;
}

function authorizationOf(destination: Settings['destination']): string | undefined {
  const { token, username, password } = destination;
  if (token !== undefined) return `Bearer ${token}`;
  if (username === undefined) return undefined;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
