import chromium from '@sparticuz/chromium';
import { type Page, chromium as playwright } from 'playwright-core';

/** A page of a headless Chromium. */
export interface Browser {
  readonly page: Page;
  close(): Promise<void>;
}

/** @param now What its pages take for the time, in Unix milliseconds; their timers go on. */
export async function openBrowser(now: number): Promise<Browser> {
  const browser = await playwright.launch({
    executablePath: await chromium.executablePath(),
    args: [...chromium.args, '--disable-background-networking', '--disable-component-update'],
    headless: true,
  });
  const context = await browser.newContext({
    viewport: { width: 1400, height: 900 },
    timezoneId: 'UTC',
    locale: 'en-GB',
  });
  const page = await context.newPage();
  await page.clock.install({ time: now });
  // MLflow opens its assistant and a hint over the first pages that a browser sees.
  await page.addInitScript(
    "localStorage.setItem('mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true');" +
      "localStorage.setItem('mlflow.assistant.panelOpen_v1', 'false');" +
      "localStorage.setItem('mlflow.detectIssues.guidanceShown_v1', 'true');",
  );
  return { page, close: () => browser.close() };
}
