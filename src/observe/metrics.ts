import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { DestinationState } from '../deliver/hold.ts';
import type { Account } from '../journal/account.ts';
import type { PostReport } from '../receive/receiver.ts';
import { forecastOf } from './detail-report.ts';

const prefix = 'litellm_mlflow_';

export interface MetricsParts {
  /** The journal's account; the counts of calls come from there, so that they outlive the process. */
  account: () => Promise<Account>;
  destinations: () => Readonly<Record<string, DestinationState>>;
  now: () => number;
}

export interface Metrics {
  posted(report: PostReport): void;
  requested(request: string, outcome: string, ms: number): void;
  /** MLflow refused a request for its rate. */
  throttled(): void;
  /** The settings were read again, with or without mistakes. */
  reloaded(successful: boolean): void;
  text(): Promise<{ contentType: string; text: string }>;
}

/** What Prometheus reads. */
export function createMetrics({ account, destinations, now }: MetricsParts): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const count = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name: `${prefix}${name}_total`, help, labelNames, registers });
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: prefix + name, help, labelNames, registers });

  const calls = {
    received: count('calls_received', 'Calls that were posted'),
    accepted: count('calls_accepted', 'Calls that were taken into the journal'),
    duplicate: count('calls_duplicate', 'Calls that were posted before'),
    recorded: count('calls_recorded', 'Calls of which all is in MLflow that is to be'),
    dead: count('calls_dead', 'Calls and parts of posts that cannot be recorded'),
    everDead: count('dead_letters', 'The same, those that were tried anew included'),
  };
  const shed = count('calls_shed', 'Calls whose record was given up', ['reason']);
  const bodiesShed = count('bodies_shed', 'Bodies that were given up for want of room');
  const bodiesUnvetted = count(
    'bodies_unvetted',
    'Bodies that were given up because the external redactor failed',
  );
  const pending = gauge('calls_pending', 'Calls in the journal that are not recorded yet');
  const addsUp = gauge('account_adds_up', '1 when every call received is accounted for');
  const oldest = gauge(
    'oldest_pending_age_seconds',
    'Age of the oldest call that waits for its run',
  );
  const bytes = gauge('journal_bytes', 'Bytes that the journal uses on disk');
  const maxBytes = gauge('journal_max_bytes', 'The most bytes that it may use');
  const failing = gauge('journal_failing', '1 while the disk fails the journal');
  const held = gauge('destination_held', '1 while a destination refuses', ['destination']);
  const heldFor = gauge('destination_held_reason', '1 for why it refuses', [
    ...['destination', 'reason'],
  ]);

  const complete = {
    runs: count('runs_complete', 'Runs of calls that are complete'),
    chunks: count('chunks_kept', 'Chunks of the calls table that are kept'),
    traces: count('traces_sent', 'Calls whose trace is in MLflow'),
    chunksGivenUp: count('chunks_given_up', 'Chunks that could not be kept anywhere'),
    tracesGivenUp: count('traces_given_up', 'Calls whose trace was given up'),
    secondRunsDeleted: count('second_runs_deleted', 'Second runs that were found and deleted'),
  };
  const noRun = count('calls_without_run', 'Calls that were chosen to have no run', ['reason']);
  const waiting = gauge('detail_pending', 'Calls that wait for a run, a chunk or a trace', ['for']);
  const tracesWaived = gauge('traces_waived', '1 while MLflow takes no traces');
  const sampleRate = gauge('run_sample_rate', 'The share of successes that get a run, 0 to 1');
  const limited = gauge('run_sample_limited', '1 for what keeps that share below 1', ['by']);
  const runsPerSecond = gauge('runs_per_second', 'Runs a second that MLflow takes; 0: not known');
  const caughtUp = gauge(
    'runs_caught_up_seconds',
    'How long what waits for a run takes to be sent',
  );
  const runsPerYear = gauge('runs_per_year', 'Runs a year at this pace; 0: not known');
  const chunkAge = gauge('oldest_chunk_age_seconds', 'Age of the oldest chunk that is not kept');
  const runsLeft = gauge('runs_left_of_day', 'How many of record.maxRunsPerDay are left');

  const posts = count('posts', 'Posts by the status of their answer', ['status']);
  const refusedBytes = count('refused_bytes', 'Bytes of posts that were refused', ['status']);
  const postSeconds = new Histogram({
    name: `${prefix}post_duration_seconds`,
    help: 'From the head of a post to its answer',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const throttled = count('throttled', 'Requests that MLflow refused for their rate');
  const requests = count('requests', 'Requests to MLflow', ['request', 'outcome']);
  const requestSeconds = new Histogram({
    name: `${prefix}request_duration_seconds`,
    help: 'From sending a request to MLflow to its answer, the wait for the ration included',
    labelNames: ['request'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers,
  });

  const reloadedWell = gauge(
    'config_last_reload_successful',
    '0 when the settings, as they were last read, have mistakes and are not in effect',
  );
  reloadedWell.set(1);

  const readAccount = async () => {
    const current = await account();
    for (const name of Object.keys(calls) as (keyof typeof calls)[]) {
      setCounter(calls[name], current[name]);
    }
    shed.reset();
    for (const [reason, number] of Object.entries(current.shed)) shed.inc({ reason }, number);
    setCounter(bodiesShed, current.bodiesShed);
    setCounter(bodiesUnvetted, current.bodiesUnvetted);
    pending.set(current.pending);
    addsUp.set(current.addsUp ? 1 : 0);
    oldest.set(
      current.oldestPendingAt === undefined ? 0 : (now() - current.oldestPendingAt) / 1000,
    );
    const { detail } = current;
    for (const name of Object.keys(complete) as (keyof typeof complete)[]) {
      setCounter(complete[name], detail[name]);
    }
    noRun.reset();
    for (const [reason, number] of Object.entries(detail.noRun)) noRun.inc({ reason }, number);
    waiting.set({ for: 'run' }, detail.runsPending);
    waiting.set({ for: 'chunk' }, detail.chunkPending);
    waiting.set({ for: 'trace' }, detail.tracesPending);
    tracesWaived.set(detail.tracesWaived ? 1 : 0);
    sampleRate.set(detail.sampleRate);
    runsLeft.set(detail.runsLeftOfDay);
    for (const by of ['drain', 'day']) limited.set({ by }, detail.limitedBy === by ? 1 : 0);
    const { perSecond, caughtUpIn, perYear } = forecastOf(detail);
    runsPerSecond.set(perSecond ?? 0);
    caughtUp.set(caughtUpIn ?? 0);
    runsPerYear.set(perYear ?? 0);
    chunkAge.set(
      detail.oldestChunkAt === undefined ? 0 : Math.max(0, now() - detail.oldestChunkAt) / 1000,
    );
    bytes.set(current.bytes);
    maxBytes.set(current.maxBytes);
    failing.set(current.trouble === undefined ? 0 : 1);
    heldFor.reset();
    for (const [destination, state] of Object.entries(destinations())) {
      held.set({ destination }, state.state === 'held' ? 1 : 0);
      if (state.state === 'held') heldFor.set({ destination, reason: state.reason }, 1);
    }
  };

  return {
    posted: ({ status, bytes: size, ms }) => {
      posts.inc({ status });
      if (status !== 200) refusedBytes.inc({ status }, size);
      postSeconds.observe(ms / 1000);
    },
    requested: (request, outcome, ms) => {
      requests.inc({ request, outcome });
      requestSeconds.observe({ request }, ms / 1000);
    },
    throttled: () => throttled.inc(),
    reloaded: (successful) => reloadedWell.set(successful ? 1 : 0),
    text: async () => {
      // Without a journal the process is about to end; its other metrics are still worth reading.
      await readAccount().catch(() => undefined);
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}

function setCounter(counter: Counter, value: number): void {
  counter.reset();
  counter.inc(value);
}
