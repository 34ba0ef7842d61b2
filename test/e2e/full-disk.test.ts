import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { litellmEvent } from '../support/litellm-event.ts';
import { startMinimalMlflow } from '../support/minimal-mlflow.ts';
import { startSidecar } from '../support/sidecar.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Mounts a small file system at `folder`; false where this user may not. */
function mountTmpfs(folder: string, size: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder], {
      stdio: 'pipe',
    });
    return true;
  } catch {
    return false;
  }
}

test('on a full disk posts are put off, delivery goes on, and accepting resumes by itself', {
  timeout: 120_000,
}, async (t) => {
  const disk = mkdtempSync(join(tmpdir(), 'sidecar-disk-'));
  if (!mountTmpfs(disk, '48m')) {
    rmSync(disk, { recursive: true });
    t.skip('this user may not mount a file system; the bound of the journal is tested elsewhere');
    return;
  }
  try {
    await fillDisk(t, disk);
  } finally {
    execFileSync('umount', ['-l', disk]);
    rmSync(disk, { recursive: true });
  }
});

async function fillDisk(t: TestContext, disk: string): Promise<void> {
  const mlflow = await startMinimalMlflow(t);
  mlflow.fault = () => ({ status: 503 });
  const sidecar = await startSidecar({ trackingUri: mlflow.url, dir: disk });
  const ballast = join(disk, 'data', 'ballast');
  assert.ok(existsSync(ballast));

  let posted = 0;
  const post = async () => {
    const event = litellmEvent(posted, { messages: 'x'.repeat(300_000) });
    const response = await fetch(sidecar.eventsUrl, {
      method: 'POST',
      body: JSON.stringify([event]),
    });
    const receipt = await response.json();
    if (response.status === 200) posted += 1;
    return { status: response.status, receipt, retryAfter: response.headers.get('retry-after') };
  };
  for (let call = 0; call < 10; call += 1) assert.equal((await post()).status, 200);

  // Something else fills the disk, to the last byte.
  const filler = join(disk, 'filler');
  assert.throws(() => writeFileSync(filler, Buffer.alloc(64 * 1024 * 1024)), /ENOSPC/);
  const refused = await waitUntil(
    async () => {
      const answer = await post();
      return answer.status === 503 ? answer : undefined;
    },
    { what: 'the disk to be full', withinMs: 20_000, everyMs: 10 },
  );
  assert.ok(Number(refused.retryAfter) > 0);
  assert.equal((await fetch(`${sidecar.url}/healthz`)).status, 503);

  const acknowledged = posted;
  mlflow.fault = () => undefined;
  await sidecar.drained(60_000);
  assert.equal(mlflow.runs.size, acknowledged, 'what was kept is recorded though the disk is full');

  rmSync(filler);
  await waitUntil(async () => (await post()).status === 200 || undefined, {
    what: 'calls to be taken again',
    withinMs: 30_000,
  });
  assert.ok(existsSync(ballast));
  await sidecar.drained(30_000);
  const metrics = await sidecar.metrics();
  assert.equal(metrics['litellm_mlflow_account_adds_up'], 1);
  assert.equal(metrics['litellm_mlflow_calls_recorded_total'], posted);
  await sidecar.stop();
}
