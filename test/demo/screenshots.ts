/**
 * `npm run screenshots`: the pictures of the README, taken of a real MLflow's pages after a day of made-up
 * calls. With names of pictures, those alone.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startMlflow } from '../support/mlflow-server.ts';
import { mlflowPins, pythonEnv } from '../support/python-env.ts';
import { runProgram } from '../support/run-program.ts';
import { openBrowser } from './browser.ts';
import { dayCalls, now } from './day-calls.ts';
import { mlflowPages, type Picture, pictures } from './pictures.ts';
import { recordDay } from './record-day.ts';

const folder = 'docs/images';
/** How wide MLflow’s sidebar is, which the pictures leave out. */
const sidebar = 202;

const names = process.argv.slice(2);
const wanted = pictures.filter(({ name }) => names.length === 0 || names.includes(name));
const ends: (() => unknown)[] = [];
try {
  const mlflow = await startMlflow();
  ends.push(mlflow.close);
  const cleanUp = { after: (end: () => unknown) => ends.push(end) };
  await recordDay(cleanUp, mlflow.url, dayCalls(), (what) => {
    process.stdout.write(`recording ${what}\n`);
  });
  await takeAll(mlflow.url, wanted);
} finally {
  for (const end of ends.reverse()) await end();
}

async function takeAll(url: string, all: readonly Picture[]): Promise<void> {
  const browser = await openBrowser(now);
  ends.push(browser.close);
  mkdirSync(folder, { recursive: true });
  const env = await pythonEnv(mlflowPins);
  for (const { name, height, show } of all) {
    const path = join(folder, `${name}.png`);
    await browser.page.setViewportSize({ width: 1400 + sidebar, height });
    await show(browser.page, mlflowPages(url));
    await browser.page.screenshot({
      ...{ path, clip: { x: sidebar, y: 0, width: 1400, height } },
      // The assistant's button floats over the corner.
      style: '[data-assistant-ui] { display: none }',
    });
    const shrunk = await runProgram(env.python, [join(import.meta.dirname, 'shrink_png.py'), path]);
    if (shrunk.code !== 0) throw new Error(`${path} cannot be made smaller: ${shrunk.output}`);
    process.stdout.write(`${path}\n`);
  }
}
