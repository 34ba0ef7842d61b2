/** What a page of runs shows, as MLflow's UI keeps it (seen of 3.17.2). */
export interface RunsView {
  /** In the language of MLflow's search box. */
  filter: string;
  /** By what the table is sorted, the highest first, such as `` metrics.`cost_usd` ``. */
  orderBy: string;
  /** What the table shows, in the names of MLflow's columns. */
  columns: readonly string[];
}

/**
 * The page of an experiment's runs, from MLflow's root. The UI reads these parameters from the address;
 * where one of them is there, it takes no kept view any more.
 */
export function runsPage(experimentId: string, { filter, orderBy }: RunsView): string {
  return `#/experiments/${experimentId}/runs?${new URLSearchParams({
    searchFilter: filter,
    ...facets(orderBy),
    orderByAsc: 'false',
  })}`;
}

/** The same as a view that is kept in the experiment under a key: it has columns, too. */
export function keptPage(experimentId: string, key: string): string {
  return `#/experiments/${experimentId}/runs?${new URLSearchParams({ viewStateShareKey: key })}`;
}

/** The experiment's tag that keeps a view, as the share button of the runs page makes it. */
export function keptView(
  key: string,
  { filter, orderBy, columns }: RunsView,
): readonly [name: string, value: string] {
  const state = {
    searchFilter: filter,
    ...facets(orderBy),
    orderByAsc: false,
    selectedColumns: columns,
  };
  return [`mlflow.sharedViewState.${key}`, JSON.stringify(state)];
}

/** The filter has the times; `ALL` takes away the one that a browser remembers. */
function facets(orderBy: string) {
  return { orderByKey: orderBy, startTime: 'ALL', lifecycleFilter: 'Active' };
}

/** Runs of several experiments in one table. */
export function comparePage(
  experimentIds: readonly string[],
  { filter, orderBy }: RunsView,
): string {
  return `#/compare-experiments/s?${new URLSearchParams({
    experiments: JSON.stringify(experimentIds),
    searchFilter: filter,
    ...facets(orderBy),
    orderByAsc: 'false',
  })}`;
}

/**
 * The traces of an experiment in a span of time, in Unix milliseconds: all, those of failed calls, or the
 * slowest first. MLflow 3.17's page takes a tag to filter by, older ones the state.
 */
export function tracesPage(
  experimentId: string,
  since: number,
  until: number,
  which: 'all' | 'failed' | 'slowest',
): string {
  const query = timesOf(since, until);
  if (which === 'failed') {
    query.set('tag', 'status=failure');
    query.set('filter', 'state::=::ERROR');
  }
  if (which === 'slowest') {
    query.set('sort', 'duration');
    query.set('dir', 'desc');
  }
  return `#/experiments/${experimentId}/traces?${query}`;
}

/** What the traces of an experiment add up to: tokens, cost, latency and errors over time. */
export function overviewPage(experimentId: string, since: number, until: number): string {
  return `#/experiments/${experimentId}/overview/usage?${timesOf(since, until)}`;
}

function timesOf(since: number, until: number): URLSearchParams {
  return new URLSearchParams({
    startTimeLabel: 'CUSTOM',
    startTime: new Date(since).toISOString(),
    endTime: new Date(until).toISOString(),
  });
}

/** The charts of a run's metrics. */
export function chartsPage(experimentId: string, runId: string): string {
  return `#/experiments/${experimentId}/runs/${runId}/model-metrics`;
}

/** A file of a run. */
export function artifactPage(experimentId: string, runId: string, file: string): string {
  return `#/experiments/${experimentId}/runs/${runId}/artifacts/${file}`;
}
