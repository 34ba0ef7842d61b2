import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SqliteJournal } from '../../src/journal/sqlite-journal.ts';
import {
  append,
  commitsIn,
  flipBit,
  frame,
  header,
  killedJournal,
  logOf,
  overwriteLeaf,
} from '../support/damaged-journal.ts';
import { eventsFrom } from '../support/litellm-event.ts';
import { startMinimalFront } from '../support/minimal-front.ts';
import { postEvents } from '../support/post-events.ts';
import { runProgram } from '../support/run-program.ts';
import { serverEnvironment } from '../support/server-environment.ts';
import { startSidecar } from '../support/sidecar.ts';
import { waitUntil } from '../support/wait-until.ts';

test('after damage to the log the runs that were begun are found, and none is made twice', async (t) => {
  const { mlflow, trackingUri, environment: env } = await startMinimalFront(t);
  mlflow.fault = (request) => (request === 'runs/log-batch' ? { status: 503 } : undefined);
  const sidecar = await startSidecar({ trackingUri, env });
  t.after(() => sidecar.close());
  await postEvents(sidecar.eventsUrl, eventsFrom(1, 4));
  const isBegun = async () =>
    (mlflow.created === 4 && mlflow.requests.includes('runs/log-batch')) || undefined;
  await waitUntil(isBegun, { what: 'the runs to be begun', withinMs: 20_000 });
  await sidecar.kill();

  const data = join(sidecar.dir, 'data');
  const acknowledged = commitsIn(logOf(data)).at(-3);
  assert.ok(acknowledged);
  flipBit(logOf(data), header + acknowledged * frame + 500);
  mlflow.fault = () => undefined;
  await sidecar.start();
  await sidecar.drained();

  assert.equal(mlflow.created, 4);
  assert.deepEqual(
    [...mlflow.runs.values()].map(({ status }) => status),
    Array(4).fill('FINISHED'),
  );
  assert.equal((await sidecar.metrics())['litellm_mlflow_account_adds_up'], 1);
  const log = readFileSync(sidecar.logFile, 'utf8');
  const reports = log.split('\n').filter((line) => line.includes('write-ahead log was damaged'));
  assert.equal(reports.length, 1, 'it is said once');
  assert.match(reports[0] ?? '', /"writeAheadLog":\{"frames":\d+,"bytes":\d+\}/);
});

test('damage that is met while it runs ends the daemon; the next start salvages', async (t) => {
  const calls = Array.from(
    { length: 40 },
    (_, number) => (journal: SqliteJournal) => append(journal, number),
  );
  const folder = killedJournal(t, calls, false);
  overwriteLeaf(folder, 'payloads');
  const env = serverEnvironment(undefined, {
    SIDECAR_DATA_DIR: folder,
    SIDECAR_PORT: '0',
    MLFLOW_TRACKING_URI: 'http://127.0.0.1:9',
  });
  const run = (...words: string[]) =>
    runProgram(process.execPath, ['--import', 'tsx', 'src/main.ts', ...words], { env });

  const met = await run('serve');
  assert.equal(met.code, 1, met.output);
  assert.match(met.output, /is damaged .*salvaged at the next start/);
  assert.ok(existsSync(join(folder, 'damaged')));

  const salvaged = await run('verify');
  assert.equal(salvaged.code, 0, salvaged.output);
  assert.match(salvaged.output, /\d+ calls were kept, 0 of them without their body; \d+ are known/);
  assert.match(salvaged.output, /set-aside\/\S+-journal\.db/);
  assert.ok(!existsSync(join(folder, 'damaged')));
  assert.doesNotMatch((await run('verify')).output, /were kept/);
});
