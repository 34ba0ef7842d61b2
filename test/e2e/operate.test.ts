import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { openSqliteJournal } from '../../src/journal/sqlite-journal.ts';
import { controlSocket } from '../../src/receive/control.ts';
import { journalDefaults } from '../support/journal-defaults.ts';
import { bodyOf, eventsFrom, litellmEvent } from '../support/litellm-event.ts';
import { startMinimalFront } from '../support/minimal-front.ts';
import type { MinimalMlflow } from '../support/minimal-mlflow.ts';
import { postEvents } from '../support/post-events.ts';
import { type Sidecar, startSidecar } from '../support/sidecar.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

interface Said {
  code: number;
  out: string;
  err: string;
}

/** Runs a command of the CLI against the journal in `folder`. */
function cli(folder: string, ...words: string[]): Promise<Said> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--import', 'tsx', 'src/main.ts', ...words],
      { env: { PATH: process.env['PATH'], SIDECAR_DATA_DIR: folder } },
      (error, out, err) => resolve({ code: Number(error?.code ?? 0), out, err }),
    );
  });
}

const reject = (request: string) =>
  request === 'runs/log-batch'
    ? { status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE', message: 'no' } }
    : undefined;

/** A sidecar that has recorded nothing and holds two dead calls and a dead element. */
async function withDead(
  t: TestContext,
): Promise<{ mlflow: MinimalMlflow; sidecar: Sidecar; data: string }> {
  const { mlflow, trackingUri, environment: env } = await startMinimalFront(t);
  mlflow.fault = reject;
  // Under a ration the pace of runs is known from the start.
  const rationed = { ...env, SIDECAR_REQUESTS_PER_SECOND: '100' };
  const sidecar = await startSidecar({ trackingUri, env: rationed });
  t.after(() => sidecar.close());
  await postEvents(sidecar.eventsUrl, [litellmEvent(1), litellmEvent(2), null]);
  await sidecar.drained();
  return { mlflow, sidecar, data: join(sidecar.dir, 'data') };
}

test('the CLI says the same whether the daemon runs or not', async (t) => {
  const { sidecar, data } = await withDead(t);
  const ask = async () => {
    const list = await cli(data, 'dead', 'list', '--json');
    const verify = await cli(data, 'verify', '--json');
    const { bytes, ...account } = JSON.parse(verify.out);
    assert.ok(bytes > 0);
    // What is left of the day's runs grows with time.
    delete account.detail.runsLeftOfDay;
    return { list: JSON.parse(list.out), account, codes: [list.code, verify.code] };
  };
  const whileItRuns = await ask();
  assert.equal(whileItRuns.list.length, 3);
  assert.equal(whileItRuns.account.dead, 3);
  const tableOf = async () => {
    const { out } = await cli(data, 'status');
    return { out, table: /^runs .*\nchunks .*\ntraces .*$/m.exec(out)?.[0] };
  };
  const running = await tableOf();
  assert.match(running.out, /The daemon runs\..*dead +3.*mlflow: open/s);
  assert.match(
    running.out,
    /^runs: .*; 100 % of the successes get one; \d+ a second; 0 s behind$/m,
  );
  assert.match(running.out, /^traced: record\.traces is off$/m);
  await sidecar.stop();
  assert.deepEqual(await ask(), whileItRuns);
  const stopped = await tableOf();
  assert.match(stopped.out, /No daemon runs\..*dead +3/s);
  assert.ok(running.table !== undefined && running.table === stopped.table, stopped.out);
});

test('dead calls that are requeued are recorded by the running daemon', async (t) => {
  const { mlflow, sidecar, data } = await withDead(t);
  mlflow.fault = () => undefined;
  const some = await cli(data, 'dead', 'list', '--limit', '2');
  assert.match(some.err, /^There are more; --limit shows them\.$/m);
  assert.equal(some.out.trimEnd().split('\n').length, 1 + 2);
  assert.equal((await cli(data, 'dead', 'list', '--limit', '3')).err, '');
  const { code, out } = await cli(data, 'dead', 'requeue', '--reason', 'rejected');
  assert.deepEqual([code, out], [0, 'Pending again: 2.\n']);
  await sidecar.drained();
  const metrics = await sidecar.metrics();
  assert.equal(metrics['litellm_mlflow_calls_recorded_total'], 2);
  assert.equal(metrics['litellm_mlflow_calls_dead_total'], 1);
  assert.equal(metrics['litellm_mlflow_dead_letters_total'], 3, 'which never falls');
  assert.equal(
    mlflow.runsOf('request_id', 'call-1').length,
    1,
    'the run that was begun is finished',
  );
});

test('a replay makes the runs that are absent, and leaves the others alone', async (t) => {
  const { mlflow, trackingUri, environment: env } = await startMinimalFront(t);
  const sidecar = await startSidecar({ trackingUri, env });
  t.after(() => sidecar.close());
  const data = join(sidecar.dir, 'data');
  await postEvents(sidecar.eventsUrl, [litellmEvent(1), litellmEvent(2), litellmEvent(3)]);
  await sidecar.drained();
  const [lost] = mlflow.runsOf('request_id', 'call-2');
  mlflow.runs.delete(lost?.id ?? '');
  mlflow.requests.length = 0;

  const { code, out } = await cli(data, 'replay', '--model', 'gpt-4o-mini');
  assert.deepEqual([code, out], [0, 'Pending again: 3.\n']);
  await sidecar.drained();
  const callIds = [...mlflow.runs.values()].map((run) => run.tags.get('request_id'));
  assert.deepEqual(callIds.sort(), ['call-1', 'call-2', 'call-3']);
  assert.equal(mlflow.requests.filter((request) => request === 'runs/create').length, 1);
  const verified = JSON.parse((await cli(data, 'verify', '--json')).out);
  assert.deepEqual([verified.recorded, verified.addsUp], [3, true]);
  assert.equal((await cli(data, 'replay')).code, 64);
  assert.match((await cli(data, 'replay', '--team', 'nobody')).out, /Pending again: 0\./);
});

test('verify fails where the account does not add up, over the socket and in the file', async (t) => {
  const data = tempFolder(t);
  const journal = openSqliteJournal(journalDefaults(data));
  journal.run([() => journal.append(bodyOf(...eventsFrom(1, 3)), Date.now())]);
  const account = journal.account();
  journal.close();
  assert.equal((await cli(data, 'verify')).code, 0);

  const database = new DatabaseSync(join(data, 'journal.db'));
  database.exec("UPDATE ledger SET calls = calls + 2 WHERE name = 'received'");
  database.close();
  const inFile = await cli(data, 'verify', '--json');
  assert.deepEqual([inFile.code, JSON.parse(inFile.out).addsUp], [1, false]);
  assert.match(inFile.err, /did not add up and was set right/);
  assert.equal((await cli(data, 'verify')).code, 0);

  // A daemon whose journal has lost calls.
  const daemon = createServer(async (incoming, response) => {
    const { op }: { op: string } = JSON.parse(await text(incoming));
    const answer = op === 'account' ? { ...account, received: 5, addsUp: false } : {};
    response.end(JSON.stringify({ answer }));
  });
  t.after(() => daemon.close());
  await once(daemon.listen(join(data, controlSocket)), 'listening');
  const asked = await cli(data, 'verify');
  assert.deepEqual(
    [asked.code, asked.out.trimEnd().split('\n').at(-1)],
    [1, 'The account does NOT add up.'],
  );
});

test('a replay of calls whose chunk is open leaves their runs in its table, and counts none anew', async (t) => {
  const { mlflow, trackingUri, environment } = await startMinimalFront(t);
  const env = { ...environment, SIDECAR_RECORD_CALLS: 'on' };
  const sidecar = await startSidecar({ trackingUri, env });
  t.after(() => sidecar.close());
  const data = join(sidecar.dir, 'data');
  const haveRuns = () =>
    waitUntil(
      async () =>
        (await sidecar.metrics())['litellm_mlflow_detail_pending{for="run"}'] === 0 || undefined,
      { what: 'the runs', withinMs: 30_000 },
    );
  await postEvents(sidecar.eventsUrl, [litellmEvent(1), litellmEvent(2)]);
  await haveRuns();
  for (const _ of [1, 2]) {
    assert.match((await cli(data, 'replay', '--all')).out, /Pending again: 2\./);
    await haveRuns();
  }
  assert.equal((await sidecar.metrics())['litellm_mlflow_runs_complete_total'], 2);
  await sidecar.stop();
  const [chunk] = mlflow.runsOf('sidecar.record', 'chunk');
  const table: { columns: string[]; data: unknown[][] } = JSON.parse(
    String(chunk?.artifacts.get('calls.json')),
  );
  const runIds = table.data.map((row) => row[table.columns.indexOf('run_id')]);
  const runsOfCalls = mlflow.runsOf('sidecar.record', 'call').map(({ id }) => id);
  assert.deepEqual(runIds.sort(), runsOfCalls.sort());
});

test('a second run on purpose is told from the first, and changes nothing in the account', async (t) => {
  const { mlflow, trackingUri, environment: env } = await startMinimalFront(t);
  const sidecar = await startSidecar({ trackingUri, env });
  t.after(() => sidecar.close());
  const data = join(sidecar.dir, 'data');
  await postEvents(sidecar.eventsUrl, [litellmEvent(1), litellmEvent(2)]);
  await sidecar.drained();
  const accountOf = async () => {
    const { out } = await cli(data, 'verify', '--json');
    // How many runs there are is none of the account's.
    const { bytes: _, detail: __, ...account } = JSON.parse(out);
    return account;
  };
  const before = await accountOf();

  // The answer to the create is lost: the search must find this run, not the first one.
  let creates = 0;
  mlflow.fault = (request) => {
    if (request !== 'runs/create') return undefined;
    creates += 1;
    return creates === 1 ? 'drop_after' : undefined;
  };
  const { code, out } = await cli(data, 'replay', '--all', '--again');
  assert.deepEqual([code, out], [0, 'Pending again: 2.\n']);
  await sidecar.drained();
  for (const call of ['call-1', 'call-2']) {
    const [first, second, ...more] = mlflow.runsOf('request_id', call);
    assert.equal(more.length, 0);
    const firstId = first?.tags.get('sidecar.record_id');
    assert.equal(second?.tags.get('sidecar.replay_of'), firstId);
    assert.notEqual(second?.tags.get('sidecar.record_id'), firstId);
    assert.equal(first?.tags.has('sidecar.replay_of'), false);
    assert.ok(second?.artifacts.has('call.json'));
    assert.equal(second?.status, 'FINISHED');
  }
  assert.deepEqual(await accountOf(), before);

  mlflow.fault = reject;
  await cli(data, 'replay', '--all', '--again');
  await sidecar.drained();
  assert.deepEqual(await accountOf(), before, 'a second run that fails kills no recorded call');
  assert.equal((await cli(data, 'replay', '--again')).code, 64);

  mlflow.fault = () => undefined;
  const { created } = mlflow;
  await cli(data, 'replay', '--all');
  await sidecar.drained();
  assert.equal(mlflow.created, created, 'the first runs are still known');
});

test('only the owner may use the control socket', async (t) => {
  const { data } = await withDead(t);
  assert.equal(statSync(join(data, 'control.sock')).mode & 0o777, 0o600);
});

test('a daemon that was killed leaves a socket that hinders nobody', async (t) => {
  const { sidecar, data } = await withDead(t);
  await sidecar.kill();
  assert.match((await cli(data, 'status')).out, /No daemon runs\./);
  await sidecar.start();
  assert.match((await cli(data, 'status')).out, /The daemon runs\./);
});

test('requeue and purge ask which ones are meant', async (t) => {
  const folder = tempFolder(t);
  for (const verb of ['requeue', 'purge']) {
    const { code, err } = await cli(folder, 'dead', verb);
    assert.equal(code, 64);
    assert.match(err, /--id, --reason, --since, --model, --team or --all/);
  }
});

test('a folder without a journal is said to have none, and stays as it is', async (t) => {
  const folder = join(tempFolder(t), 'nothing');
  const { code, err } = await cli(folder, 'status');
  assert.equal(code, 1);
  assert.match(err, /there is no journal in .*nothing/);
  assert.equal(statSync(folder, { throwIfNoEntry: false }), undefined);
});
