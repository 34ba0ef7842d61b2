/**
 * `npm run screenshots`: the pictures of the README, taken of a real MLflow's pages with the demo's
 * calls in them.
 */
import { mkdirSync } from 'node:fs';
import chromium from '@sparticuz/chromium';
import { type Page, chromium as playwright } from 'playwright-core';
import { runDemo } from './run-demo.ts';
import { createStack } from './stack.ts';

const folder = 'docs/images';

/** What a table of calls is looked at for. */
const columns = [
  'attributes.`Created`',
  'metrics.`latency_ms`',
  'metrics.`total_tokens`',
  'metrics.`cost_usd`',
  'tags.`model_group`',
  'tags.`team_alias`',
  'tags.`user_id`',
  'tags.`error_type`',
  'tags.`cache_hit`',
];

const stack = await createStack();
try {
  const pages = await runDemo(stack);
  await shareView(pages.allRuns, 'calls');
  const browser = await playwright.launch({
    executablePath: await chromium.executablePath(),
    args: [...chromium.args, '--disable-background-networking', '--disable-component-update'],
    headless: true,
  });
  const page = await browser.newPage({ viewport: { width: 1600, height: 900 } });
  // MLflow opens its assistant over the first page that a browser sees.
  await page.addInitScript(
    "localStorage.setItem('mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true');" +
      "localStorage.setItem('mlflow.assistant.panelOpen_v1', 'false');",
  );
  mkdirSync(folder, { recursive: true });
  await take(page, `${pages.allRuns}?viewStateShareKey=calls`, 'runs.png');
  await take(page, pages.oneRun, 'run.png');
  await browser.close();
} finally {
  await stack.close({ keepData: false });
}

/** Keeps a choice of columns under a key, as the share button of MLflow's runs page does. */
async function shareView(allRuns: string, key: string): Promise<void> {
  const [, experimentId = ''] = /experiments\/(\d+)/.exec(allRuns) ?? [];
  const response = await fetch(new URL('/api/2.0/mlflow/experiments/set-experiment-tag', allRuns), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      experiment_id: experimentId,
      key: `mlflow.sharedViewState.${key}`,
      value: JSON.stringify({ selectedColumns: columns }),
    }),
  });
  if (!response.ok) throw new Error(`MLflow answered ${response.status} to a shared view`);
}

async function take(page: Page, url: string, file: string): Promise<void> {
  // MLflow's pages poll for ever, so the network is never idle.
  await page.goto(url, { waitUntil: 'load' });
  await page.getByText('acompletion').first().waitFor();
  await page.waitForTimeout(5_000);
  await page.screenshot({ path: `${folder}/${file}` });
  process.stdout.write(`${folder}/${file}\n`);
}
