import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { type Clock, systemClock } from './deliver/clock.ts';
import { createHold, type DestinationState } from './deliver/hold.ts';
import { openJournal } from './journal/journal-client.ts';
import { journalOptions, journalPolicy } from './journal-options.ts';
import { createHealth } from './observe/health.ts';
import { createKnownAccount } from './observe/known-account.ts';
import { createMetrics } from './observe/metrics.ts';
import {
  reportDamage,
  reportDisk,
  reportHold,
  reportMistakes,
  reportPost,
  reportReload,
} from './observe/report.ts';
import { statusPage } from './observe/status-page.ts';
import { createControl, listenOnSocket } from './receive/control.ts';
import { createReceiver } from './receive/receiver.ts';
import type { LoadedSettings } from './settings/load-settings.ts';
import { reloadSettings } from './settings/reload.ts';
import type { Settings } from './settings/schema.ts';
import { startDelivery } from './start-delivery.ts';

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

/**
 * Builds the stages from the end of a call's path: the journal, what delivers from it, then the receiver.
 *
 * @throws JournalError when the journal cannot be opened; an `Error` with `code` when the address
 *   cannot be listened on.
 */
export async function startApp(parts: AppParts): Promise<App> {
  const { version, log, onFatal } = parts;
  let { settings } = parts;
  const { server } = settings;
  const clock = systemClock;
  let stopping = false;

  const journal = await openJournal(
    journalOptions(settings),
    onFatal,
    (damage) => reportDamage(log, damage),
    (trouble) => reportDisk(log, trouble),
  );
  const account = createKnownAccount({
    account: journal.account,
    now: clock.now,
    sleep: clock.sleep,
  });

  const holdOf = (name: string) =>
    createHold({
      clock,
      random: Math.random,
      onChange: (state) => reportHold(log, name, state),
    });
  const holds = {
    mlflow: holdOf('mlflow'),
    artifacts: holdOf('artifacts'),
    archive: holdOf('archive'),
    traces: holdOf('traces'),
  };
  const destinations = (): Record<string, DestinationState> => ({
    mlflow: holds.mlflow.state(),
    artifacts: holds.artifacts.state(),
    ...(settings.archive.uri !== undefined && { archive: holds.archive.state() }),
    ...(settings.record.traces !== 'off' && { traces: holds.traces.state() }),
  });
  const metrics = createMetrics({ account, destinations, now: clock.now });

  const delivery = startDelivery({
    settings: () => settings,
    journal,
    holds,
    metrics,
    clock,
    log,
  });

  const health = createHealth({
    version,
    account,
    destinations,
    rate: delivery.rate,
    recording: () => settings.record,
    stopping: () => stopping,
    now: clock.now,
  });
  const control = createControl({
    journal,
    health,
    onRequeued: delivery.wake,
    now: clock.now,
  });
  const receiver = createReceiver(
    {
      journal,
      health,
      page: statusPage,
      metrics: metrics.text,
      onAccepted: delivery.wake,
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
      patienceMs: 60_000,
      authToken: () => settings.server.authToken,
    },
  );
  const listens = await listenOnSocket(control, settings.journal.dir).catch(() => false);
  if (!listens) log.warn('no control socket can be made in the data folder: the CLI cannot ask');
  const listening = await receiver
    .listen({ host: server.host, port: server.port })
    .catch(async (error) => {
      await delivery.stop(0);
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
      await delivery.stop(Math.max(0, deadline - clock.now()));
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
