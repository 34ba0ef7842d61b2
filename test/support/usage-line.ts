import { createExperiments } from '../../src/deliver/experiments.ts';
import { createHold } from '../../src/deliver/hold.ts';
import { createUntilKept } from '../../src/deliver/until-kept.ts';
import { createUsageDelivery, type UsageDelivery } from '../../src/deliver/usage/usage-delivery.ts';
import type { Usage, UsageOptions } from '../../src/journal/usage/usage.ts';
import { createMlflowClient } from '../../src/mlflow/client.ts';
import { createHttpTransport } from '../../src/mlflow/http-transport.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';
import type { Way } from './signed-transport.ts';
import { day0, hour, minute, openUsageJournal, type UsageJournal } from './usage-journal.ts';

/** A journal, an MLflow, and the delivery of usage between them, by a clock that a test moves. */
export interface UsageLine {
  clock: FakeClock;
  own: UsageJournal;
  /** What MLflow would not take. */
  losses: string[];
  /** What is held against MLflow; absent where nothing is. */
  held(): string | undefined;
  /** Takes calls in at the clock's time. */
  append(...events: unknown[]): void;
  /** Lets time pass, in steps of the delivery's own look. */
  pass(ms: number): Promise<void>;
  /** Sends what is there at once. */
  flush(): Promise<void>;
  /** The delivery; absent after `stop`. */
  usage(): UsageDelivery | undefined;
  /** Ends the delivery; the journal stays open. */
  stop(): Promise<void>;
  /** After `stop`: delivers to another server, the same, or another experiment of it, as a new daemon. */
  start(way: string | Way, experiment?: string): void;
}

const look = 5_000;

/**
 * @param way MLflow's URL, or how it is reached.
 * @param startsAt Milliseconds of the day at which the clock begins; ten o'clock unless told.
 */
export function startUsageLine(
  t: { after(end: () => unknown): unknown },
  way: string | Way,
  changes: Partial<UsageOptions> = {},
  startsAt = 10 * hour,
): UsageLine {
  const own = openUsageJournal(t, changes, 200_000_000);
  const clock = fakeClock(day0 + startsAt);
  const losses: string[] = [];
  const newHold = () => createHold({ clock, random: () => 0.5, onChange: () => undefined });
  let hold = newHold();
  let line: { usage: UsageDelivery; stop(): Promise<void> } | undefined;

  const start = (to: string | Way, experiment = '/e/usage') => {
    hold = newHold();
    const over = new AbortController();
    const by = typeof to === 'string' ? { url: new URL(to) } : to;
    const transport = createHttpTransport({
      ...by,
      timeoutMs: () => 20_000,
      connections: 2,
    });
    const mlflow = createMlflowClient(transport.send, {
      now: clock.now,
      onOutcome: (request, outcome) => {
        if (outcome === 'done' || outcome === 'reject') hold.succeeded(request);
      },
    });
    const usage = async <T>(act: (usage: Usage) => T): Promise<T> => own.usage(act);
    const delivery = createUsageDelivery({
      journal: {
        usageReport: (destination, now, from) => usage((one) => one.report(destination, now, from)),
        usageTotals: (destination, now) => usage((one) => one.totals(destination, now)),
        keepUsageRun: (run, state) => usage((one) => one.keepRun(run, state)),
        usageSent: (run, sent) => usage((one) => one.sent(run, sent)),
      },
      journalId: 'j',
      destination: by.url.href,
      mlflow,
      experiments: createExperiments(mlflow),
      experiment: () => experiment,
      hold,
      untilKept: createUntilKept(clock, over.signal),
      clock,
      random: () => 0.5,
      over: over.signal,
      onLoss: (day, what) => losses.push(`${day}: ${what}`),
    });
    const ended = delivery.run();
    line = {
      usage: delivery,
      stop: async () => {
        over.abort();
        await ended;
        await transport.close();
      },
    };
  };
  const stop = async () => {
    await line?.stop();
    line = undefined;
  };
  t.after(stop);
  start(way);

  return {
    clock,
    own,
    losses,
    held: () => {
      const state = hold.state();
      return state.state === 'held' ? state.reason : undefined;
    },
    append: (...events) => own.append(clock.now(), ...events),
    pass: async (ms) => {
      // When it has done what it can, the delivery sleeps.
      await clock.asleep();
      for (let passed = 0; passed < ms; passed += look) {
        clock.advance(look);
        await clock.asleep();
      }
    },
    flush: async () => {
      await line?.usage.flush(clock.now() + 5 * minute);
    },
    usage: () => line?.usage,
    stop,
    start,
  };
}

/** A little more than an interval, so that it has been sent. */
export const interval = 5 * minute + 10_000;
