import { localDays } from '../../journal/usage/local-day.ts';
import { createMlflowClient, type MlflowClient } from '../../mlflow/client.ts';
import type { Outcome } from '../../mlflow/outcome.ts';
import { createSearchClient, type SearchClient } from '../../mlflow/search-client.ts';
import { createViewClient } from '../../mlflow/view-client.ts';
import { callsExperiment } from '../../record/calls/plan-chunk.ts';
import { usageExperiment } from '../../record/usage/plan-usage.ts';
import type { Environment } from '../../settings/environment.ts';
import type { Settings } from '../../settings/schema.ts';
import { callExperiments, named } from '../call-experiments.ts';
import { exitCodes } from '../exit-codes.ts';
import { fail } from '../fail.ts';
import { outcomeWords } from '../outcome-words.ts';
import { print, printJson } from '../print.ts';
import { type OpenMlflow, withMlflow } from '../with-mlflow.ts';
import { callViews, type Link, linksOf, type Places, usageFilter } from './questions.ts';
import { keptView } from './runs-page.ts';

export interface LinksOptions {
  /** From when on, in Unix milliseconds. */
  since: number;
  /** Now, in Unix milliseconds. */
  until: number;
  /** Whether views with chosen columns are kept in the calls' experiment, which writes to MLflow. */
  columns: boolean;
  json: boolean;
}

/** `links`: the pages of MLflow that answer what people ask of the records. */
export function links(environment: Environment, options: LinksOptions): Promise<number> {
  const { since, until, columns, json } = options;
  return withMlflow(environment, json, async (mlflow) => {
    const found = await findPlaces(mlflow, since, until);
    if (found.kind !== 'done') return fail(outcomeWords(found), exitCodes.failure, json);
    const places = found.value;
    const kept = columns
      ? await keepViews(mlflow, places)
      : { kind: 'done' as const, value: false };
    if (kept.kind !== 'done') return fail(outcomeWords(kept), exitCodes.failure, json);
    const all = linksOf(places, kept.value);
    const base = baseOf(mlflow);
    if (json) {
      printJson({
        since: new Date(since).toISOString(),
        until: new Date(until).toISOString(),
        ...(base !== undefined && { base }),
        links: all.map((link) => ({
          ...link,
          ...(base !== undefined && { url: base + link.path }),
        })),
      });
    } else linesOf(all, base, mlflow.settings).forEach(print);
    return exitCodes.ok;
  });
}

/** Where MLflow's pages are; of SageMaker's only a presigned link tells. */
function baseOf({ destination }: OpenMlflow): string | undefined {
  return destination.identity.startsWith('arn:')
    ? undefined
    : `${destination.url.href.replace(/\/+$/, '')}/`;
}

function linesOf(all: readonly Link[], base: string | undefined, { record }: Settings): string[] {
  if (all.length === 0) {
    return [`MLflow holds no experiment ${record.experiment} yet: nothing has been recorded.`];
  }
  const lines =
    base === undefined
      ? [
          'Open the link of "server url" first. Then put one of these behind the host in the address, in the place of what begins with #:',
        ]
      : [];
  let question: string | undefined;
  for (const link of all) {
    if (link.question !== question) lines.push('', `${link.question}?`);
    question = link.question;
    lines.push(`  ${link.title}`, `    ${base ?? '/'}${link.path}`);
  }
  return lines[0] === '' ? lines.slice(1) : lines;
}

/** Keeps the views of the calls, under the same keys each time; not where there are several experiments. */
async function keepViews({ send, told }: OpenMlflow, places: Places): Promise<Outcome<boolean>> {
  const [only, ...others] = places.calls;
  if (only === undefined || others.length > 0) return { kind: 'done', value: false };
  const views = createViewClient(send, told);
  for (const [key, view] of Object.entries(callViews(places.since))) {
    const done = await views.tagExperiment(only.id, keptView(key, view));
    if (done.kind !== 'done') return done;
  }
  return { kind: 'done', value: true };
}

/** Looks up what the pages are of. */
async function findPlaces(
  { send, told, settings }: OpenMlflow,
  since: number,
  until: number,
): Promise<Outcome<Places>> {
  const mlflow = createMlflowClient(send, told);
  const search = createSearchClient(send, told);
  const template = settings.record.experiment;
  const calls = await callExperiments(template, mlflow, search);
  if (calls.kind !== 'done') return calls;
  const usage = await findUsage(settings, mlflow, search, { since, until });
  if (usage.kind !== 'done') return usage;
  const chunks = await findChunks(template, mlflow, search);
  if (chunks.kind !== 'done') return chunks;
  const [first] = calls.value;
  const traces =
    first && (await search.traces(first.id, `attributes.timestamp_ms >= ${since}`, undefined, 1));
  return {
    kind: 'done',
    value: {
      ...{ since, until, calls: calls.value },
      ...(usage.value !== undefined && { usage: usage.value }),
      ...(chunks.value !== undefined && { chunks: chunks.value }),
      // Older versions know no such search, and have no traces of calls.
      traced: traces?.kind === 'done' && traces.value.items.length > 0,
    },
  };
}

/** So many days of sidecars get pages of their own, the newest ones. */
const mostCharts = 7;

async function findUsage(
  { record, usage }: Settings,
  mlflow: MlflowClient,
  search: SearchClient,
  { since, until }: { since: number; until: number },
): Promise<Outcome<Places['usage']>> {
  const found = await named(usageExperiment(record.experiment), mlflow);
  if (found.kind !== 'done') return found;
  const id = found.value[0]?.id;
  if (id === undefined) return { kind: 'done', value: undefined };
  const dayAt = localDays(usage.timeZone);
  const [first, last] = [dayAt(since), dayAt(until)];
  const runs = await search.runs([id], {
    // The runs of days alone: below each there are those of a hundred series.
    filter: `${usageFilter(first, last)} and attributes.run_name LIKE 'usage %'`,
    orderBy: 'attributes.start_time DESC',
    most: mostCharts,
  });
  if (runs.kind !== 'done') return runs;
  return { kind: 'done', value: { id, first, last, runs: runs.value.items } };
}

async function findChunks(
  template: string,
  mlflow: MlflowClient,
  search: SearchClient,
): Promise<Outcome<Places['chunks']>> {
  const found = await named(callsExperiment(template), mlflow);
  if (found.kind !== 'done') return found;
  const id = found.value[0]?.id;
  if (id === undefined) return { kind: 'done', value: undefined };
  const newest = await search.runs([id], {
    filter: "tags.`sidecar.record` = 'chunk'",
    orderBy: 'attributes.start_time DESC',
    most: 1,
  });
  if (newest.kind !== 'done') return newest;
  const [run] = newest.value.items;
  return { kind: 'done', value: { id, ...(run !== undefined && { newest: run }) } };
}
