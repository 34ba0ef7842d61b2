import type { UsageDay } from '../../call/usage-report.ts';
import type { FoundExperiment, FoundRun } from '../../mlflow/search-client.ts';
import { chunkFileNames } from '../../record/calls/plan-chunk.ts';
import {
  artifactPage,
  chartsPage,
  comparePage,
  keptPage,
  overviewPage,
  type RunsView,
  runsPage,
  tracesPage,
} from './runs-page.ts';

/** What people ask of the records. */
export type Question = 'who spends what' | 'what fails' | 'what got slow' | 'every call';

export interface Link {
  question: Question;
  /** What the page shows. */
  title: string;
  /** From MLflow's root, `#/experiments/…`. */
  path: string;
}

/** What was found in MLflow, that pages are made of. */
export interface Places {
  /** Unix milliseconds. */
  since: number;
  until: number;
  /** Where calls have their runs and traces. */
  calls: readonly FoundExperiment[];
  usage?: {
    id: string;
    /** The days of `since` and of `until` in the time zone of the settings. */
    first: UsageDay;
    last: UsageDay;
    /**
     * The newest days' runs, one of each journal; a day has none before its first interval is over.
     */
    runs: readonly FoundRun[];
  };
  /** The calls table, and its newest chunk. */
  chunks?: { id: string; newest?: FoundRun };
  /** Whether there are traces since then; asked of the first experiment alone. */
  traced: boolean;
}

const who = ['tags.`model_group`', 'tags.`team_alias`', 'tags.`user_id`'];

/** The views of the calls' runs, by the keys under which they are kept. */
export function callViews(since: number): Readonly<Record<CallView, RunsView>> {
  const from = `attributes.start_time >= ${since}`;
  return {
    'sidecar-spend': {
      filter: from,
      orderBy: 'metrics.`cost_usd`',
      columns: [created, 'metrics.`cost_usd`', 'metrics.`total_tokens`', ...who],
    },
    'sidecar-failures': {
      filter: `tags.status = 'failure' and ${from}`,
      orderBy: 'attributes.start_time',
      columns: [created, 'tags.`error_type`', 'tags.`error_code`', 'tags.`error_message`', ...who],
    },
    'sidecar-slow': {
      filter: `metrics.latency_ms > 0 and ${from}`,
      orderBy: 'metrics.`latency_ms`',
      columns: [
        created,
        'metrics.`latency_ms`',
        'metrics.`time_to_first_token_ms`',
        'metrics.`completion_tokens`',
        ...who,
      ],
    },
  };
}

export type CallView = 'sidecar-spend' | 'sidecar-failures' | 'sidecar-slow';
const created = 'attributes.`Created`';

const callPages: readonly (readonly [Question, string, CallView])[] = [
  ['who spends what', 'calls, the costliest first', 'sidecar-spend'],
  ['what fails', 'failed calls, the newest first', 'sidecar-failures'],
  ['what got slow', 'calls, the slowest first', 'sidecar-slow'],
];

/** How many experiments are shown in one table: their ids are all in the address. */
const mostCompared = 100;

/** @param kept Whether the views of the calls are kept in their experiment, so that they have columns. */
export function linksOf(places: Places, kept: boolean): Link[] {
  const links = [...usageLinks(places), ...callLinks(places, kept), ...traceLinks(places)];
  const order: readonly Question[] = [
    ...(['who spends what', 'what fails', 'what got slow', 'every call'] as const),
  ];
  return [...links, ...chunkLinks(places)].sort(
    (one, other) => order.indexOf(one.question) - order.indexOf(other.question),
  );
}

function usageLinks({ usage }: Places): Link[] {
  if (usage === undefined) return [];
  const { id, first, last, runs } = usage;
  const days = first.day === last.day ? first.day : `${first.day} to ${last.day}`;
  const table = runsPage(id, {
    filter: usageFilter(first, last),
    orderBy: 'metrics.`cost_usd`',
    columns: [],
  });
  const dayOf = ({ tags }: FoundRun) => tags.get('usage.day') ?? '';
  const charts = runs.map((run) => {
    const ofDay = runs.filter((other) => dayOf(other) === dayOf(run));
    const which = ofDay.length > 1 ? `, sidecar ${ofDay.indexOf(run) + 1}` : '';
    return { day: dayOf(run), which, path: chartsPage(id, run.id) };
  });
  return [
    {
      question: 'who spends what',
      title: `totals of ${days} by model and team, the costliest first`,
      path: table,
    },
    ...charts.flatMap(({ day, which, path }): Link[] => [
      {
        question: 'who spends what',
        title: `charts of ${day}: requests, tokens and cost by model and team${which}`,
        path,
      },
      {
        question: 'what got slow',
        title: `charts of ${day}: latency, and errors by type${which}`,
        path,
      },
    ]),
  ];
}

/** The runs of usage of some days: theirs begin with their day. */
export function usageFilter(first: UsageDay, last: UsageDay): string {
  return `attributes.start_time >= ${first.startsAt} and attributes.start_time < ${last.endsAt}`;
}

function callLinks({ calls, since }: Places, kept: boolean): Link[] {
  const [first] = calls;
  if (first === undefined) return [];
  const views = callViews(since);
  const pageOf = (key: CallView) => {
    if (calls.length > 1) {
      return comparePage(
        calls.slice(0, mostCompared).map(({ id }) => id),
        views[key],
      );
    }
    return kept ? keptPage(first.id, key) : runsPage(first.id, views[key]);
  };
  return callPages.map(([question, title, key]) => ({
    question,
    title: `${title}, of those that have a run`,
    path: pageOf(key),
  }));
}

function traceLinks({ calls, since, until, traced }: Places): Link[] {
  if (!traced) return [];
  return calls.slice(0, mostTraced).flatMap(({ id, name }): Link[] => {
    const where = calls.length > 1 ? ` in ${name}` : '';
    const overview = overviewPage(id, since, until);
    return [
      { question: 'who spends what', title: `traces: tokens and cost${where}`, path: overview },
      {
        question: 'what fails',
        title: `traces of failed calls${where}`,
        path: tracesPage(id, since, until, 'failed'),
      },
      {
        question: 'what got slow',
        title: `traces: latency over time${where}`,
        path: overview,
      },
      {
        question: 'what got slow',
        title: `traces, the slowest first${where}`,
        path: tracesPage(id, since, until, 'slowest'),
      },
      {
        question: 'every call',
        title: `traces${where}`,
        path: tracesPage(id, since, until, 'all'),
      },
    ];
  });
}

/** How many experiments get pages of traces of their own. */
const mostTraced = 5;

function chunkLinks({ chunks, since }: Places): Link[] {
  if (chunks === undefined) return [];
  const { id, newest } = chunks;
  const all = runsPage(id, {
    filter: `attributes.start_time >= ${since - longestChunk}`,
    orderBy: 'attributes.start_time',
    columns: [],
  });
  return [
    { question: 'every call', title: 'the calls table, chunk by chunk', path: all },
    ...(newest === undefined
      ? []
      : [
          {
            question: 'every call' as const,
            title: `the newest chunk: ${newest.name}`,
            path: artifactPage(id, newest.id, chunkFileNames.table),
          },
        ]),
  ];
}

/** A chunk that holds a call may have begun so much before it, in milliseconds. */
const longestChunk = 15 * 60_000;
