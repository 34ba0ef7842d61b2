import type { Logger } from 'pino';
import { errorName } from './aws/error-name.ts';
import type { Clock } from './deliver/clock.ts';
import type { Hold } from './deliver/hold.ts';
import { ignoreLostJournal } from './deliver/until-kept.ts';
import { awsAccess } from './destination.ts';
import type { Journal } from './journal/journal.ts';
import { createLine, type Line } from './line.ts';
import { untilFound } from './look-up.ts';
import type { Metrics } from './observe/metrics.ts';
import { reportSigner } from './report-signer.ts';
import { destinationSetting } from './settings/destination.ts';
import type { Settings } from './settings/schema.ts';

/** All that lies between the journal and MLflow. */
export interface Delivery {
  /** Calls may have become due. */
  wake(): void;
  /** Requests a second at present; absent without a ration. */
  rate(): number | undefined;
  /** Goes on with what is due for `graceMs` at most, then lets go and closes. */
  stop(graceMs: number): Promise<void>;
}

export interface DeliveryParts {
  /** Those of the moment. */
  settings: () => Settings;
  journal: Journal;
  /** Of MLflow itself, of where artifacts go, of where the archive goes, and of traces. */
  holds: { mlflow: Hold; artifacts: Hold; archive: Hold; traces: Hold };
  metrics: Metrics;
  clock: Clock;
  log: Logger;
}

/** Between two tries to begin, in milliseconds. */
const retryMs = 5_000;

/** Finds MLflow, which may take its time while calls are taken in already, and delivers to it from then on. */
export function startDelivery(parts: DeliveryParts): Delivery {
  const { settings, holds, clock, log } = parts;
  const over = new AbortController();
  const access = awsAccess(settings());
  if (destinationSetting(settings()).kind !== 'url') {
    void reportSigner(access, { what: 'MLflow', log, clock, over: over.signal });
  }
  let line: Line | undefined;

  const begin = async () => {
    const lookUp = { settings, hold: holds.mlflow, clock, log };
    const destination = await untilFound(lookUp, access, over.signal);
    if (destination === undefined) return;
    const { journalId } = await parts.journal.account();
    while (!over.signal.aborted && line === undefined) {
      try {
        line = await createLine(parts, access, { ...destination, journalId }, over.signal);
      } catch (error) {
        // The data folder takes no more at present.
        log.error({ error: errorName(error) }, 'delivery cannot begin; it is tried again');
        await clock.sleep(retryMs, over.signal);
      }
    }
  };
  const begun = begin().catch(ignoreLostJournal);

  return {
    wake: () => line?.wake(),
    rate: () => line?.rate(),
    stop: async (graceMs) => {
      const deadline = clock.now() + graceMs;
      // What goes with the disk is worth the wait for a server that is still being looked for.
      if (settings().journal.ephemeral) await Promise.race([begun, clock.sleep(graceMs)]);
      // Without a line there is nothing to go on with, and what looks for MLflow begins none any more.
      await line?.drain(Math.max(0, deadline - clock.now()));
      over.abort();
      await line?.close();
    },
  };
}
