import { type Clock, systemClock } from '../../deliver/clock.ts';
import { createRation } from '../../deliver/ration.ts';
import { createMlflowClient } from '../../mlflow/client.ts';
import type { Outcome } from '../../mlflow/outcome.ts';
import { createPruneClient } from '../../mlflow/prune-client.ts';
import { createSearchClient, type FoundExperiment } from '../../mlflow/search-client.ts';
import type { Environment } from '../../settings/environment.ts';
import { callExperiments, named } from '../call-experiments.ts';
import { exitCodes } from '../exit-codes.ts';
import { fail } from '../fail.ts';
import { ownTerminal, type Terminal } from '../litellm/terminal.ts';
import { onInterrupt } from '../on-interrupt.ts';
import { outcomeWords } from '../outcome-words.ts';
import { print, printError, printJson } from '../print.ts';
import { type OpenMlflow, withMlflow } from '../with-mlflow.ts';
import { patiently } from './patient.ts';
import { countRuns, oldRunsFilter, type Pruned, pruneRuns, runsAtOnce } from './prune-runs.ts';
import { countTraces, oldTracesFilter, pruneTraces, type WhichTraces } from './prune-traces.ts';

export interface PruneOptions {
  /** Calls that began before then, in Unix milliseconds. */
  before: number;
  /** In the place of that of the settings. */
  experiment?: string;
  /** Which traces go as well; none unless told. */
  traces?: WhichTraces;
  requestsPerSecond: number;
  /** Whether to count only. */
  dryRun: boolean;
  /** Whether not to ask first. */
  yes: boolean;
  json: boolean;
}

/**
 * `prune`: deletes the runs of old calls, and their traces. Exit 0 when all are gone or nothing was to be
 * done, 1 when it ended before, 64 where nobody can be asked.
 */
export function prune(
  environment: Environment,
  options: PruneOptions,
  terminal: Terminal = ownTerminal,
  clock: Clock = systemClock,
): Promise<number> {
  const { json, dryRun, yes } = options;
  return withMlflow(environment, json, async (mlflow) => {
    const { over, dispose } = onInterrupt();
    try {
      const work = createWork(mlflow, options, clock, over);
      const found = await work.experiments();
      if (found.kind !== 'done') return fail(outcomeWords(found), exitCodes.failure, json);
      if (dryRun) return await count(work, found.value, options, over);
      if (!yes) {
        if (!terminal.isInteractive) {
          return fail('Nobody can be asked here: say --yes, or --dry-run.', exitCodes.usage, json);
        }
        if (found.value.length > 0 && !(await terminal.confirm(question(found.value, options)))) {
          return fail('Nothing is deleted.', exitCodes.failure, json);
        }
      }
      return await remove(work, found.value, options, over);
    } finally {
      dispose();
    }
  });
}

type Work = ReturnType<typeof createWork>;

/** The requests that pruning makes, each in its turn. */
function createWork(
  { send: sendNow, told, settings }: OpenMlflow,
  { before, experiment, requestsPerSecond }: PruneOptions,
  clock: Clock,
  over: AbortSignal,
) {
  const ration = createRation(() => requestsPerSecond, clock);
  const send: typeof sendNow = async (request) => {
    await ration.acquire();
    return sendNow(request);
  };
  const retried = <T>(ask: () => Promise<Outcome<T>>) => patiently(ask, clock, over);
  const mlflow = createMlflowClient(send, told);
  const search = createSearchClient(send, told);
  const pruning = createPruneClient(send, told);
  const old = {
    filter: oldRunsFilter(before),
    orderBy: 'attributes.start_time ASC',
    most: runsAtOnce,
  };
  return {
    experiments: () =>
      retried(() =>
        experiment === undefined
          ? callExperiments(settings.record.experiment, mlflow, search)
          : named(experiment, mlflow),
      ),
    runs: (id: string) => (token?: string) => retried(() => search.runs([id], old, token)),
    deleteRun: (runId: string) => retried(() => mlflow.deleteRun(runId)),
    traces: (id: string) => (filter: string, token?: string) =>
      retried(() => search.traces(id, filter, token)),
    deleteTraces: (id: string) => (ids: readonly string[]) =>
      retried(() => pruning.deleteTraces(id, ids)),
  };
}

function question(
  experiments: readonly FoundExperiment[],
  { before, traces }: PruneOptions,
): string {
  const [first] = experiments;
  const where =
    experiments.length === 1 ? `in ${first?.name}` : `in ${experiments.length} experiments`;
  const what =
    traces === undefined
      ? 'the runs of calls'
      : traces === 'own'
        ? 'the runs and, for good, the traces of calls'
        : 'the runs of calls and, for good, all traces, whoever made them,';
  return `Delete ${what} that began before ${new Date(before).toISOString()} ${where}? (--dry-run counts them)`;
}

/** `--dry-run`. */
async function count(
  work: Work,
  experiments: readonly FoundExperiment[],
  { before, traces, json }: PruneOptions,
  over: AbortSignal,
): Promise<number> {
  let runs = 0;
  let found = 0;
  let oldest: number | undefined;
  for (const { id } of experiments) {
    const onCounted = (soFar: number, first: { startTime: number } | undefined) => {
      if (first !== undefined) oldest = Math.min(oldest ?? first.startTime, first.startTime);
      if (soFar > 0 && soFar % progressEvery === 0) printError(`${runs + soFar} runs so far`);
    };
    const counted = await countRuns(work.runs(id), onCounted, over);
    if (counted.kind !== 'done') return fail(outcomeWords(counted), exitCodes.failure, json);
    runs += counted.value;
    if (traces === undefined) continue;
    const ofTraces = await countTraces(work.traces(id), oldTracesFilter(before, traces), over);
    if (ofTraces.kind !== 'done') return fail(tracesWords(ofTraces), exitCodes.failure, json);
    found += ofTraces.value;
  }
  const complete = !over.aborted;
  const since = oldest === undefined ? undefined : new Date(oldest).toISOString();
  if (json) {
    printJson({
      ...{ runs, ...(traces !== undefined && { traces: found }), oldest: since },
      ...{ experiments: experiments.map(({ name }) => name), complete },
    });
  } else {
    const least = complete ? '' : ' or more (interrupted)';
    print(
      `Runs that would be deleted: ${runs}${least}${since ? `; the oldest began ${since}` : ''}.`,
    );
    if (traces !== undefined) print(`Traces that would be deleted: ${found}${least}.`);
  }
  return complete ? exitCodes.ok : exitCodes.failure;
}

const progressEvery = 100;

async function remove(
  work: Work,
  experiments: readonly FoundExperiment[],
  { before, traces, json }: PruneOptions,
  over: AbortSignal,
): Promise<number> {
  let runs = 0;
  let left = 0;
  let gone = 0;
  let failure: Pruned['failure'];
  let failedOver: 'runs' | 'traces' = 'runs';
  for (const { id } of experiments) {
    const pruned = await pruneRuns({
      ...{ runs: work.runs(id), deleteRun: work.deleteRun, over },
      onDeleted: ({ startTime }, deleted) => {
        if (deleted % progressEvery !== 0) return;
        printError(`${runs + deleted} runs deleted, up to ${new Date(startTime).toISOString()}`);
      },
    });
    runs += pruned.deleted;
    left += pruned.left;
    failure = pruned.failure;
    if (failure === undefined && traces !== undefined && !over.aborted) {
      const onDeleted = (deleted: number) => printError(`${gone + deleted} traces deleted`);
      const parts = {
        traces: work.traces(id),
        deleteTraces: work.deleteTraces(id),
        onDeleted,
        over,
      };
      const ofTraces = await pruneTraces(parts, oldTracesFilter(before, traces));
      gone += ofTraces.deleted;
      failure = ofTraces.failure;
      failedOver = 'traces';
    }
    if (failure !== undefined || over.aborted) break;
  }
  const isComplete = failure === undefined && !over.aborted && left === 0;
  const words = failure && (failedOver === 'runs' ? outcomeWords(failure) : tracesWords(failure));
  if (json) {
    printJson({
      ...{ runs, ...(traces !== undefined && { traces: gone }), refused: left },
      ...{ complete: isComplete, ...(words !== undefined && { error: words }) },
    });
    return isComplete ? exitCodes.ok : exitCodes.failure;
  }
  print(`Runs deleted: ${runs}.`);
  if (traces !== undefined) print(`Traces deleted, for good: ${gone}.`);
  if (left > 0) printError(`Runs that MLflow would not delete: ${left}.`);
  if (words !== undefined) printError(words);
  if (!isComplete) printError('Run it again to go on.');
  if (runs > 0) print(kept);
  return isComplete ? exitCodes.ok : exitCodes.failure;
}

const kept =
  'MLflow keeps what it deletes: the runs are out of every table, but still in its database, and their artifacts in the store. "mlflow gc" removes both on a server of your own; SageMaker has no such thing, so there a lifecycle rule on the bucket removes the artifacts, and the database keeps its size.';

function tracesWords(outcome: Exclude<Outcome<unknown>, { kind: 'done' }>): string {
  return outcome.kind === 'hold' && outcome.reason === 'unsupported'
    ? `This MLflow has no search of traces (${outcome.detail}): it is older than 3.2, and holds no traces of calls.`
    : outcomeWords(outcome);
}
