import { createHash } from 'node:crypto';
import type { Page } from 'playwright-core';
import { mlflowReader } from '../support/mlflow-reader.ts';
import { experiment } from './record-day.ts';

/** A picture of a page of MLflow's. */
export interface Picture {
  /** Its file's name without `.png`. */
  readonly name: string;
  /** Pixels, of what is left when MLflow's sidebar is cut off. */
  readonly height: number;
  /** Brings the page up, until all is drawn that the picture shows. */
  show(page: Page, mlflow: Mlflow): Promise<void>;
}

/** The MLflow that the pictures are taken of. */
export interface Mlflow {
  readonly url: string;
  /** The pages of an experiment: `/#/experiments/ID`. */
  pages(experiment: string): Promise<string>;
  /** The page of the last of its runs for which that is so. */
  runPage(experiment: string, isIt: (run: Run) => boolean): Promise<string>;
}

type Run = Awaited<ReturnType<ReturnType<typeof mlflowReader>['runs']>>[number];

export function mlflowPages(url: string): Mlflow {
  const reader = mlflowReader(url);
  const pages = async (name: string) =>
    `${url}/#/experiments/${(await reader.experiment(name))?.id ?? ''}`;
  return {
    url,
    pages,
    runPage: async (name, isIt) => {
      const runs = (await reader.runs(name)).sort((a, b) => b.startTime - a.startTime);
      return `${await pages(name)}/runs/${runs.find(isIt)?.runId ?? ''}`;
    },
  };
}

const usage = `${experiment}/usage`;
const chunks = `${experiment}/calls`;

const metrics = (...names: string[]) => names.map((name) => `metrics.\`${name}\``);
const tags = (...names: string[]) => names.map((name) => `tags.\`${name}\``);

/** All pictures of the README and of `docs/`. */
export const pictures: readonly Picture[] = [
  {
    name: 'usage',
    height: 1000,
    show: (page, mlflow) =>
      showCharts(
        page,
        mlflow,
        '^(requests|error_rate|cache_hit_rate|total_tokens|cost_usd|latency_ms_p95)$',
        6,
      ),
  },
  {
    name: 'usage-by-model',
    height: 1050,
    show: (page, mlflow) =>
      showCharts(
        page,
        mlflow,
        '^model/(gpt-4o|claude-sonnet)/(requests|error_rate|latency_ms_p95)$',
        6,
      ),
  },
  {
    name: 'teams',
    height: 430,
    show: async (page, mlflow) => {
      await showRuns(page, mlflow, usage, {
        columns: metrics('requests', 'error_rate', 'cache_hit_rate', 'total_tokens', 'cost_usd'),
        filter: "tags.`usage.team` != ''",
        sort: 'metrics.`cost_usd`',
        expects: 'team payments',
      });
    },
  },
  {
    name: 'overview',
    height: 1650,
    show: async (page, mlflow) => {
      const query = 'startTimeLabel=LAST_24_HOURS';
      await page.goto(`${await mlflow.pages(experiment)}/overview/usage?${query}`, {
        waitUntil: 'load',
      });
      await page.getByText('Cost Over Time').waitFor();
      await page.waitForTimeout(settled);
    },
  },
  {
    name: 'errors',
    height: 640,
    show: async (page, mlflow) => {
      await showRuns(page, mlflow, experiment, {
        columns: tags(
          ...['error_type', 'error_class', 'error_code', 'model_group', 'team_alias', 'user_id'],
        ),
        filter: "attributes.status = 'FAILED'",
        sort: 'attributes.start_time',
        expects: 'timeout',
      });
    },
  },
  {
    name: 'runs',
    height: 640,
    show: async (page, mlflow) => {
      await showRuns(page, mlflow, experiment, {
        columns: [
          ...metrics('cost_usd', 'latency_ms', 'total_tokens'),
          ...tags('model_group', 'team_alias', 'user_id'),
        ],
        filter: "tags.team_alias = 'payments'",
        sort: 'attributes.start_time',
        expects: 'gpt-4o acompletion',
      });
    },
  },
  {
    name: 'run',
    height: 930,
    show: async (page, mlflow) => {
      const isTimeout = (run: Run) => run.tags['error_type'] === 'timeout';
      await page.goto(await mlflow.runPage(experiment, isTimeout), { waitUntil: 'load' });
      await page.getByText('error_type').first().waitFor();
      await page.waitForTimeout(settled);
    },
  },
  {
    name: 'calls',
    height: 760,
    show: async (page, mlflow) => {
      const isBusy = (run: Run) => (run.metrics['failures'] ?? 0) > 4;
      await page.goto(`${await mlflow.runPage(chunks, isBusy)}/artifacts`, { waitUntil: 'load' });
      await page.getByText('calls.json', { exact: true }).click();
      await page.getByText('View as table').waitFor();
      await keepColumns(page, [
        ...['time', 'model_group', 'team_alias', 'status', 'latency_ms', 'cost_usd'],
      ]);
      await page.waitForTimeout(settled);
    },
  },
];

/** How long pages go on drawing when all is there, in milliseconds. */
const settled = 4_000;

/** Brings up charts of the last day's usage, drawn over the time of day. */
async function showCharts(page: Page, mlflow: Mlflow, names: string, count: number): Promise<void> {
  const day = await mlflow.runPage(usage, ({ runName }) => runName.startsWith('usage '));
  await page.goto(`${day}/model-metrics`, { waitUntil: 'load' });
  await page.getByRole('button', { name: 'Configure charts' }).click();
  await page.getByText('Time (wall)').click();
  await page.getByPlaceholder('Search metric charts').fill(names);
  await page.mouse.move(0, 0);
  await page.locator('svg.main-svg').nth(count).waitFor();
  await page.waitForTimeout(settled);
}

/** Brings up the runs table of an experiment with columns of one's choice. */
async function showRuns(
  page: Page,
  mlflow: Mlflow,
  name: string,
  view: { columns: readonly string[]; filter: string; sort: string; expects: string },
): Promise<void> {
  const pages = await mlflow.pages(name);
  const key = await shareView(pages, view);
  // Another address of the page that is there already would not load what has changed.
  await page.goto('about:blank');
  await page.goto(`${pages}/runs?viewStateShareKey=${key}`, { waitUntil: 'load' });
  await page.getByText(view.expects).first().waitFor();
  await page.getByRole('button', { name: 'Hide banner' }).click();
  await page.mouse.move(0, 0);
  await page.waitForTimeout(settled);
  // As wide as what they hold.
  const edges = page
    .locator('[col-id*="metrics"], [col-id*="tags"]')
    .locator('.ag-header-cell-resize');
  for (const edge of await edges.all()) await edge.dispatchEvent('dblclick');
  await page.waitForTimeout(settled);
}

/** Leaves these columns of a table among the artifacts, and hides all others. */
async function keepColumns(page: Page, kept: readonly string[]): Promise<void> {
  const settings = page.getByRole('button', { name: 'Table settings' });
  await settings.click();
  const names = await page.getByRole('menuitemcheckbox', { checked: true }).allInnerTexts();
  for (const name of names.filter((one) => !kept.includes(one))) {
    const item = page.getByRole('menuitemcheckbox', { name, exact: true });
    if (!(await item.isVisible())) await settings.click();
    await item.click();
  }
  await page.keyboard.press('Escape');
  // So that the button loses the focus, and with it its hint.
  await page.getByText('Path:').click();
}

/** Keeps a view of the runs under a key, as the share button of MLflow's runs page does. */
async function shareView(
  pages: string,
  { columns, filter, sort }: { columns: readonly string[]; filter: string; sort: string },
): Promise<string> {
  const [, experimentId = ''] = /experiments\/(\d+)/.exec(pages) ?? [];
  const view = {
    selectedColumns: ['attributes.`Created`', ...columns],
    ...{ searchFilter: filter, orderByKey: sort, orderByAsc: false },
  };
  const key = createHash('sha256').update(JSON.stringify(view)).digest('hex').slice(0, 16);
  const response = await fetch(new URL('/api/2.0/mlflow/experiments/set-experiment-tag', pages), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      experiment_id: experimentId,
      key: `mlflow.sharedViewState.${key}`,
      value: JSON.stringify(view),
    }),
  });
  if (!response.ok) throw new Error(`MLflow answered ${response.status} to a shared view`);
  return key;
}
