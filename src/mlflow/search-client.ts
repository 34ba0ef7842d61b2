import { createAsk } from './ask.ts';
import type { ClientOptions } from './client.ts';
import { member, parsed, textMember } from './json-answer.ts';
import type { Outcome } from './outcome.ts';
import { text, wholeNumber } from './serialize.ts';
import type { RequestName, Send } from './transport.ts';

/** Part of what was searched for, and the token that the next part is asked for with. */
export interface Page<T> {
  items: T[];
  next?: string;
}

export interface FoundExperiment {
  id: string;
  name: string;
}

export interface FoundRun {
  id: string;
  name: string;
  /** Unix milliseconds. */
  startTime: number;
  tags: ReadonlyMap<string, string>;
}

export interface FoundTrace {
  /** As MLflow has it, `tr-…`. */
  id: string;
}

/** What runs are searched by; deleted ones are never found. */
export interface RunSearch {
  /** In MLflow's language. */
  filter: string;
  /** Such as `attributes.start_time ASC`. */
  orderBy: string;
  /** 1 to 50,000; each run comes with all its params and tags, and an answer has 16 MB at the most. */
  most: number;
}

/** What of MLflow's API searches, one method a request. None throws. */
export interface SearchClient {
  /** Experiments whose names begin so. In the place of `_` and `%` anything may stand. */
  experiments(prefix: string, token?: string): Promise<Outcome<Page<FoundExperiment>>>;
  runs(
    experimentIds: readonly string[],
    search: RunSearch,
    token?: string,
  ): Promise<Outcome<Page<FoundRun>>>;
  /**
   * Traces; `unsupported` where the server has no such search (before MLflow 3.2).
   *
   * @param most 1 to 500, and 500 unless told.
   */
  traces(
    experimentId: string,
    filter: string,
    token?: string,
    most?: number,
  ): Promise<Outcome<Page<FoundTrace>>>;
}

export function createSearchClient(send: Send, options: ClientOptions): SearchClient {
  const ask = createAsk(send, options);
  const post = <T>(
    name: RequestName,
    path: string,
    body: object,
    list: string,
    itemIn: (item: unknown) => T | undefined,
  ): Promise<Outcome<Page<T>>> =>
    ask(
      { name, method: 'POST', path, contentType: 'application/json', body: JSON.stringify(body) },
      (answer) => pageIn(parsed(answer), list, itemIn),
    );

  return {
    experiments: (prefix, token) =>
      post(
        'experiments/search',
        '/api/2.0/mlflow/experiments/search',
        {
          filter: `name LIKE '${beforeQuote(prefix)}%'`,
          max_results: experimentsAtOnce,
          ...tokenOf(token),
        },
        'experiments',
        experimentIn,
      ),
    runs: (experimentIds, { filter, orderBy, most }, token) =>
      post(
        'runs/search',
        '/api/2.0/mlflow/runs/search',
        {
          experiment_ids: experimentIds.map(text),
          filter: text(filter),
          run_view_type: 'ACTIVE_ONLY',
          max_results: wholeNumber(most),
          order_by: [orderBy],
          ...tokenOf(token),
        },
        'runs',
        runIn,
      ),
    traces: async (experimentId, filter, token, most = tracesAtOnce) => {
      const found = await post(
        'traces/search',
        '/api/3.0/mlflow/traces/search',
        {
          locations: [
            {
              type: 'MLFLOW_EXPERIMENT',
              mlflow_experiment: { experiment_id: text(experimentId) },
            },
          ],
          filter: text(filter),
          max_results: wholeNumber(most),
          ...tokenOf(token),
        },
        'traces',
        traceIn,
      );
      return found.kind === 'hold' && found.reason === 'not_mlflow' && /40[45]/.test(found.detail)
        ? { ...found, reason: 'unsupported' }
        : found;
    },
  };
}

/** The most that MLflow gives of each in an answer. */
const experimentsAtOnce = 1_000;
const tracesAtOnce = 500;

/** A literal has no way to hold its own quote: the search finds more then, never less. */
function beforeQuote(prefix: string): string {
  return text(prefix).replace(/'.*$/s, '');
}

function tokenOf(token: string | undefined): { page_token?: string } {
  return token === undefined ? {} : { page_token: token };
}

/** An answer without the list, as for nothing found, is `{}`. */
function pageIn<T>(
  answer: unknown,
  list: string,
  itemIn: (item: unknown) => T | undefined,
): Page<T> | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined;
  const items = member(answer, list) ?? [];
  if (!Array.isArray(items)) return undefined;
  const next = textMember(answer, 'next_page_token');
  return {
    items: items.map(itemIn).filter((item) => item !== undefined),
    ...(next !== undefined && { next }),
  };
}

function experimentIn(item: unknown): FoundExperiment | undefined {
  const id = textMember(item, 'experiment_id');
  return id === undefined ? undefined : { id, name: textMember(item, 'name') ?? '' };
}

function runIn(item: unknown): FoundRun | undefined {
  const info = member(item, 'info');
  const id = textMember(info, 'run_id');
  if (id === undefined) return undefined;
  const tags = member(member(item, 'data'), 'tags');
  return {
    id,
    name: textMember(info, 'run_name') ?? '',
    // A whole number beyond 32 bits, which some versions write as text.
    startTime: Number(member(info, 'start_time') ?? 0),
    tags: new Map(
      (Array.isArray(tags) ? tags : []).map((tag: unknown) => [
        textMember(tag, 'key') ?? '',
        textMember(tag, 'value') ?? '',
      ]),
    ),
  };
}

function traceIn(item: unknown): FoundTrace | undefined {
  const id = textMember(item, 'trace_id');
  return id === undefined ? undefined : { id };
}
