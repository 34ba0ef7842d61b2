import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startChild } from '../support/child.ts';
import { waitUntil } from '../support/wait-until.ts';

test('a program is ready when its output says so', async (t) => {
  const child = await startShell(t, 'echo one; echo ready to serve; exec sleep 60', {
    line: /ready/,
  });
  assert.match(child.tail(), /one\nready to serve/);
  assert.deepEqual(await child.stop(), { code: null, signal: 'SIGTERM' });
  assert.match(await readFile(child.logFile, 'utf8'), /ready to serve/);
});

test('a program that ends before it is ready fails at once, with the end of its log', async (t) => {
  const started = startShell(t, 'echo no such port; exit 3', { line: /ready/ });
  await assert.rejects(
    started,
    /the shell ended before it was ready \(exit code 3\).*no such port/s,
  );
});

test('a program that ignores SIGTERM is killed, and what it started with it', async (t) => {
  const script = `trap '' TERM; sleep 60 & echo "child $!"; while :; do sleep 0.1; done`;
  const child = await startShell(t, script, { line: /child/ });
  const grandchild = Number(/child (\d+)/.exec(child.tail())?.[1]);
  assert.equal((await child.stop()).signal, 'SIGKILL');
  await waitUntilGone(grandchild);
});

test('a program dies with the process that started it, even when that is killed', async (t) => {
  const dir = await folder(t);
  const script = `
    const { startChild } = await import(${JSON.stringify(join(import.meta.dirname, '../support/child.ts'))});
    const child = await startChild({
      name: 'sleep', command: 'sleep', args: ['60'], env: process.env,
      logFile: ${JSON.stringify(join(dir, 'log'))},
    });
    process.stdout.write(String(child.pid));
    setInterval(() => {}, 1000);`;
  const parent = spawn(
    process.execPath,
    ['--import', 'tsx', '--input-type', 'module', '-e', script],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [pid] = await once(parent.stdout, 'data');
  parent.kill('SIGKILL');
  await waitUntilGone(Number(String(pid)));
});

async function startShell(t: TestContext, script: string, ready: { line: RegExp }) {
  const dir = await folder(t);
  const child = await startChild({
    name: 'the shell',
    command: '/bin/sh',
    args: ['-c', script],
    env: process.env,
    logFile: join(dir, 'log'),
    ready,
    readyWithinMs: 10_000,
    stopWithinMs: 300,
  });
  t.after(() => child.kill());
  return child;
}

async function folder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'child-test-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

async function waitUntilGone(pid: number): Promise<void> {
  assert.ok(pid > 1);
  const look = () => {
    try {
      process.kill(pid, 0);
      return undefined;
    } catch {
      return true;
    }
  };
  await waitUntil(look, { what: `process ${pid} to be gone`, withinMs: 10_000 });
}
