import type { ChunkDelivery } from './chunks/chunk-delivery.ts';
import type { Clock } from './clock.ts';
import type { UsageDelivery } from './usage/usage-delivery.ts';

export interface FlushAllParts {
  chunks: Pick<ChunkDelivery, 'flush'>;
  /** Calls that are not in a chunk yet. */
  notInChunks: () => Promise<number>;
  /** Absent where usage is not recorded. */
  usage: Pick<UsageDelivery, 'flush' | 'flushTotals'> | undefined;
  /** The length of an interval of usage, in milliseconds. */
  intervalMs: number;
  clock: Clock;
}

/** What goes with the disk. */
export interface NotFlushed {
  /** Calls that are in no chunk. */
  calls: number;
  /** Some of the usage, or the totals of some series. */
  usage: boolean;
}

/** Between two tries, in milliseconds. */
const patience = 500;

/**
 * Sends what would go with the disk: chunks until each call is in one, usage until all is reported, and
 * then the totals of each series, however often they have to be tried, or until the time is over.
 *
 * @param deadline Unix milliseconds.
 * @throws JournalError where the journal is lost.
 */
export async function flushAll(parts: FlushAllParts, deadline: number): Promise<NotFlushed> {
  const { chunks, notInChunks, usage, intervalMs, clock } = parts;
  const began = clock.now();
  const ended = new AbortController();
  /** Whether `send` did all of it in time. */
  const repeat = async (send: () => Promise<boolean>): Promise<boolean> => {
    while (!(await send())) {
      if (clock.now() + patience >= deadline) return false;
      await clock.sleep(patience, ended.signal);
    }
    return true;
  };

  let isUsageLeft = usage !== undefined;
  const sendUsage = async () => {
    if (usage === undefined) return;
    const isReported = await repeat(() => usage.flush(began + intervalMs));
    if (isReported) isUsageLeft = !(await repeat(() => usage.flushTotals(began)));
  };
  const sendChunks = () =>
    repeat(async () => {
      await chunks.flush(true);
      return (await notInChunks()) === 0;
    });

  const sending = Promise.all([sendUsage(), sendChunks()]);
  await Promise.race([sending, clock.sleep(deadline - began, ended.signal)]);
  ended.abort();
  return { calls: await notInChunks(), usage: isUsageLeft };
}
