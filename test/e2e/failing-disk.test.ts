import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type DiskRule, faultyDisk } from '../support/faulty-disk.ts';
import { bodyOf, eventsFrom, litellmEvent } from '../support/litellm-event.ts';
import { assertLogged, timesLogged } from '../support/logged.ts';
import { type MinimalMlflow, startMinimalMlflow } from '../support/minimal-mlflow.ts';
import { startSidecar } from '../support/sidecar.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

const untested = process.platform !== 'linux' && 'a slow or failing fsync and read: Linux only';

interface Health {
  status: number;
  ms: number;
  journal: {
    state: string;
    pending: number;
    duplicate: number;
    trouble?: { since: string; message: string };
  };
}

/** A sidecar on a disk that can be made to fail, with an MLflow that takes nothing until told. */
async function setUp(t: TestContext, config = '') {
  const dir = tempFolder(t);
  const disk = await faultyDisk(join(dir, 'data'));
  assert.ok(disk);
  const mlflow = await startMinimalMlflow(t);
  mlflow.fault = () => ({ status: 503 });
  const settings = join(dir, 'sidecar.yaml');
  writeFileSync(settings, config);
  const env = { ...disk.env, SIDECAR_CONFIG: settings };
  const sidecar = await startSidecar({ trackingUri: mlflow.url, dir, env });
  t.after(() => sidecar.close());

  /** Posts once, as LiteLLM does without retries; the status of the answer. */
  const post = async (...events: unknown[]): Promise<number> => {
    const response = await fetch(sidecar.eventsUrl, { method: 'POST', body: bodyOf(...events) });
    await response.arrayBuffer();
    return response.status;
  };
  const health = async (): Promise<Health> => {
    const began = performance.now();
    const response = await fetch(`${sidecar.url}/healthz`);
    const { journal }: Pick<Health, 'journal'> = JSON.parse(await response.text());
    return { status: response.status, ms: performance.now() - began, journal };
  };
  return {
    disk,
    mlflow,
    sidecar,
    post,
    health,
    healthOnce: (what: string, holds: (health: Health) => boolean) =>
      waitUntil(
        async () => {
          const now = await health();
          return holds(now) ? now : undefined;
        },
        { what, withinMs: 30_000 },
      ),
    assertLogged: (text: string, times: number) => assertLogged(sidecar.logFile, text, times),
    /** After so many starts; what one found damaged is said before it takes calls. */
    assertNoDamageLogged: async (starts: number) => {
      await assertLogged(sidecar.logFile, '"recording the calls', starts);
      assert.equal(timesLogged(sidecar.logFile, 'damaged'), 0);
    },
    /** MLflow takes calls again; then each of these has one complete run, and no other call has. */
    assertRecorded: async (callIds: readonly string[]) => {
      mlflow.fault = () => undefined;
      // A call that was begun at a kill is searched for until 90 s later.
      await sidecar.drained(150_000);
      assert.deepEqual(recordedBy(mlflow), [...callIds].sort());
      assert.equal((await sidecar.metrics())['litellm_mlflow_account_adds_up'], 1);
    },
  };
}

function recordedBy(mlflow: MinimalMlflow): (string | undefined)[] {
  const finished = [...mlflow.runs.values()].filter(({ status }) => status === 'FINISHED');
  return finished.map(({ tags }) => tags.get('request_id')).sort();
}

const callIds = (first: number, last: number) =>
  eventsFrom(first, last).map(({ litellm_call_id }) => litellm_call_id);

describe('a disk that is slow or fails', { skip: untested, timeout: 300_000 }, () => {
  it('a slow fsync delays acknowledgements and nothing else, and loses nothing', async (t) => {
    const it = await setUp(t, 'server: { maxBodyBytes: 1MiB, maxInflightBytes: 1MiB }\n');
    assert.equal(await it.post(litellmEvent(1)), 200);
    await it.health();
    await it.disk.become('sync journal.db-wal slow 2000');

    const began = performance.now();
    const large = { messages: 'x'.repeat(400_000) };
    const posts = [2, 3, 4, 5].map((call) => it.post(litellmEvent(call, large)));
    const statuses: number[] = [];
    for (const posted of posts) void posted.then((status) => statuses.push(status));
    const isWaiting = () => statuses.length === 2 || undefined;
    await waitUntil(isWaiting, { what: 'what has no room to be put off', withinMs: 1_500 });
    assert.deepEqual(statuses, [503, 503], 'two bodies fit, the others are put off at once');
    const while_ = await it.health();
    assert.equal(while_.status, 200);
    assert.ok(while_.ms < 1_000, `/healthz took ${while_.ms} ms`);
    await Promise.all(posts);
    assert.deepEqual(statuses.slice(2), [200, 200]);
    assert.ok(performance.now() - began >= 2_000, 'they waited for the disk');

    await it.sidecar.kill();
    await it.disk.cutPower();
    await it.disk.become();
    await it.sidecar.start();
    assert.equal((await it.health()).journal.pending, 3);
    assert.equal(await it.post(...eventsFrom(1, 5)), 200);
    const { journal } = await it.health();
    assert.deepEqual([journal.pending, journal.duplicate], [5, 3], 'nothing is lost');
  });

  it('what an fsync failed for is never acknowledged; all else outlives a power cut', async (t) => {
    const it = await setUp(t);
    const acknowledged: string[] = [];
    let call = 0;
    const postSome = async (calls: number) => {
      const first = call + 1;
      call += calls;
      const status = await it.post(...eventsFrom(first, call));
      if (status === 200) acknowledged.push(...callIds(first, call));
      return status;
    };
    for (let post = 0; post < 5; post += 1) assert.equal(await postSome(3), 200);

    for (let episode = 1; episode <= 2; episode += 1) {
      await it.disk.become('sync journal.db-wal fail');
      // A long commit first: a shorter one later leaves its end in the log.
      assert.equal(await postSome(60), 503);
      assert.equal(await postSome(1), 503);
      const failing = await it.healthOnce('the trouble', ({ status }) => status === 503);
      assert.equal(failing.journal.state, 'failing');
      assert.match(failing.journal.trouble?.message ?? '', /disk I\/O error \(SQLite 1034\)/);

      await it.disk.become();
      assert.equal(await postSome(1), 200, 'it is kept as soon as the disk works');
      await it.healthOnce('the recovery', ({ journal }) => !journal.trouble);
      await it.assertLogged('what cannot be done now is tried again', episode);
      await it.assertLogged('the disk works again', episode);

      // The system may outlive the process, with all that was written; or it may not.
      await it.sidecar.kill();
      if (episode === 2) await it.disk.cutPower();
      await it.sidecar.start();
      // What a failed commit left is no damage.
      await it.assertNoDamageLogged(1 + episode);
      assert.equal((await it.health()).journal.pending, acknowledged.length);
    }

    await it.assertRecorded(acknowledged);
  });

  it('an fsync that fails while the log is folded back loses nothing of it', async (t) => {
    const it = await setUp(t, 'journal: { maxBytes: 64MiB }\n');
    await it.disk.become('sync journal.db fail');
    const large = { messages: 'x'.repeat(1_000_000) };
    let kept = 0;
    while (kept < 30 && (await it.post(litellmEvent(kept + 1, large))) === 200) kept += 1;
    assert.ok(kept > 20, 'posts are kept in the log alone');
    await it.disk.become();
    assert.equal(await it.post(litellmEvent(100)), 200);
    await it.sidecar.kill();
    await it.disk.cutPower();
    await it.sidecar.start();
    await it.assertRecorded([...callIds(1, kept), 'call-100']);
  });

  it('while the disk does not read, delivery waits and posts are kept; then all goes on', async (t) => {
    const it = await setUp(t);
    const pid = await fillAndForget(it);
    await it.disk.become(badPlace(it.sidecar.dir));
    it.mlflow.fault = () => undefined;
    const failing = await it.healthOnce('the trouble', ({ journal }) => 'trouble' in journal);
    assert.match(failing.journal.trouble?.message ?? '', /does not read journal.db at byte \d+/);
    assert.equal(failing.status, 200, 'calls are still taken');
    assert.equal(await it.post(litellmEvent(1_000)), 200);
    const later = await it.healthOnce('some tries', ({ journal }) => {
      const { since = '' } = journal.trouble ?? {};
      return Date.now() - Date.parse(since) > 4_000;
    });
    assert.ok(later.journal.pending > 1, 'what the disk does not give is not given up');
    await it.assertLogged('does not read', 1);

    await it.disk.become();
    await it.assertRecorded([...callIds(1, 60), 'call-1000']);
    await it.healthOnce('the recovery', ({ journal }) => !journal.trouble);
    assert.equal(it.sidecar.pid, pid, 'by itself');
    await it.sidecar.restart();
    await it.assertNoDamageLogged(3);
  });

  it('a restart salvages what the disk still reads', async (t) => {
    const it = await setUp(t);
    await fillAndForget(it);
    await it.disk.become(badPlace(it.sidecar.dir));
    it.mlflow.fault = () => undefined;
    await it.healthOnce('the trouble', ({ journal }) => 'trouble' in journal);
    await it.sidecar.restart();
    await it.assertLogged('The journal was damaged', 1);
    const { journal, status } = await it.health();
    assert.deepEqual([status, journal.state], [200, 'open']);
    const metrics = await it.sidecar.metrics();
    assert.equal(metrics['litellm_mlflow_account_adds_up'], 1);
    const shed = metrics['litellm_mlflow_calls_shed_total{reason="damaged"}'] ?? 0;
    const dead = metrics['litellm_mlflow_calls_dead_total'] ?? 0;
    assert.ok(
      shed + dead <= 2,
      `a bad place costs what lies on it, here ${shed} and ${dead} calls`,
    );
    const before = it.mlflow.requests.length;
    await waitUntil(() => it.mlflow.requests.length > before || undefined, {
      what: 'delivery to go on',
      withinMs: 30_000,
    });
  });
});

/** Posts calls of 150 KB, and restarts, so that nothing of them is in memory; the new process. */
async function fillAndForget(it: Awaited<ReturnType<typeof setUp>>): Promise<number> {
  const large = { messages: 'x'.repeat(150_000) };
  for (let call = 1; call <= 60; call += 1) {
    assert.equal(await it.post(litellmEvent(call, large)), 200);
  }
  await it.sidecar.restart();
  return it.sidecar.pid;
}

/** In the middle of the journal's file, where calls lie. */
function badPlace(dir: string): DiskRule {
  const { size, ino } = statSync(join(dir, 'data', 'journal.db'));
  const at = Math.floor(size / 2);
  return `read journal.db fail ${at} ${at + 50_000} ${ino}`;
}
