import assert from 'node:assert/strict';
import { test } from 'node:test';
import chromium from '@sparticuz/chromium';
import { chromium as playwright } from 'playwright-core';
import { z } from 'zod';
import { litellmEvent } from '../support/litellm-event.ts';
import { startMlflow } from '../support/mlflow-server.ts';
import { startOperatorEdge } from '../support/operator-edge.ts';
import { postEvents } from '../support/post-events.ts';
import { runProgram } from '../support/run-program.ts';
import { serverEnvironment } from '../support/server-environment.ts';
import { startSidecar } from '../support/sidecar.ts';
import { waitUntil } from '../support/wait-until.ts';

const answer = z.object({
  base: z.string().optional(),
  links: z.array(
    z.object({
      question: z.string(),
      title: z.string(),
      path: z.string(),
      url: z.string().optional(),
    }),
  ),
});

function linksWith(env: Readonly<Record<string, string>>, ...words: string[]) {
  return runProgram(process.execPath, ['--import', 'tsx', 'src/main.ts', 'links', ...words], {
    env: serverEnvironment(undefined, env),
  });
}

/** What pages show when they are what their titles say: those whose parameters MLflow does not document. */
const shown: readonly (readonly [title: string, words: readonly RegExp[]])[] = [
  ['totals of', [/^1 matching run$/, /^usage \d{4}-/]],
  ['failed calls, the newest first', [/^rate_limit$/, /^error_type$/, /^2 matching runs$/]],
  ['traces of failed calls', [/^2 of 10$/]],
];

test('the links lead to pages of MLflow that show what they say', {
  timeout: 180_000,
}, async (t) => {
  const mlflow = await startMlflow();
  t.after(() => mlflow.close());
  const direct = { MLFLOW_TRACKING_URI: mlflow.url };
  const empty = await linksWith(direct);
  assert.deepEqual(
    [empty.code, /holds no experiment .*nothing has been recorded/.test(empty.output)],
    [0, true],
  );

  const sidecar = await startSidecar({
    trackingUri: mlflow.url,
    env: {
      ...{ SIDECAR_RECORD_USAGE: 'on', SIDECAR_RECORD_CALLS: 'on', SIDECAR_RECORD_TRACES: 'on' },
      SIDECAR_SHUTDOWN_GRACE: '30s',
    },
  });
  t.after(() => sidecar.close());
  const now = Date.now() / 1_000;
  const calls = Array.from({ length: 10 }, (_, index) => {
    const startTime = now - 60 - index;
    const failed = index % 5 === 0;
    return litellmEvent(index, {
      ...{ startTime, endTime: startTime + (index + 1) / 10, response_cost: 0.001 * (index + 1) },
      ...(failed && {
        status: 'failure',
        error_information: { error_class: 'RateLimitError', error_code: '429' },
      }),
    });
  });
  await postEvents(sidecar.eventsUrl, calls);
  await waitUntil(async () => (await tracesIn(mlflow.url)) >= calls.length || undefined, {
    what: 'the traces',
    withinMs: 60_000,
  });
  // Usage and the open chunk go out at the end.
  await sidecar.stop();

  const { edge, env } = await startOperatorEdge(t, mlflow.url, 'operator');
  const managed = await linksWith(env, '--since', '2h');
  assert.equal(managed.code, 0, managed.output);
  assert.match(managed.output, /^Open the link of "server url" first\. /);
  assert.match(managed.output, /^ {4}\/#\/experiments\/\d+\/runs\?searchFilter=/m);
  assert.deepEqual(
    edge.requests.filter(({ status }) => status !== 200),
    [],
  );
  const denied = await linksWith(env, '--columns');
  assert.equal(denied.code, 1);
  assert.match(denied.output, /compare their policy with config\/iam/);

  const { code, output } = await linksWith(direct, '--columns', '--json', '--since', '2h');
  assert.equal(code, 0, output);
  const { base, links } = answer.parse(JSON.parse(output));
  assert.equal(base, `${mlflow.url}/`);
  assert.deepEqual(
    [...new Set(links.map(({ question }) => question))],
    ['who spends what', ...['what fails', 'what got slow', 'every call']],
  );

  const chart = links.find(({ title }) => title.startsWith('charts of'));
  assert.match(chart?.path ?? '', /^#\/experiments\/\d+\/runs\/\w+\/model-metrics$/);
  const early = await linksWith(direct, '--since', '2999-01-01');
  assert.deepEqual([early.code, /It is still to come/.test(early.output)], [64, true]);

  const browser = await playwright.launch({
    executablePath: await chromium.executablePath(),
    args: [...chromium.args, '--disable-background-networking', '--disable-component-update'],
    headless: true,
  });
  t.after(() => browser.close());
  const context = await browser.newContext({
    viewport: { width: 2_400, height: 1_400 },
    locale: 'en-US',
  });
  for (const [title, words] of shown) {
    const link = links.find((one) => one.title.startsWith(title));
    assert.ok(link?.url !== undefined, title);
    const page = await context.newPage();
    await page.goto(link.url, { waitUntil: 'load' });
    for (const word of words) {
      await page
        .getByText(word)
        .first()
        .waitFor({ state: 'attached', timeout: 60_000 })
        .catch((error: unknown) => assert.fail(`${title}: no ${word} at ${page.url()}: ${error}`));
    }
    await page.close();
  }
});

async function tracesIn(url: string): Promise<number> {
  const response = await fetch(`${url}/api/3.0/mlflow/traces/search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      locations: [{ type: 'MLFLOW_EXPERIMENT', mlflow_experiment: { experiment_id: '1' } }],
      max_results: 100,
    }),
  });
  const { traces } = z
    .object({ traces: z.array(z.unknown()).default([]) })
    .parse(await response.json());
  return traces.length;
}
