import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/free-port.ts';
import { answers, waitUntil } from '../support/wait-until.ts';
import { line, median } from './percentile.ts';

const runs = 7;
const built = 'dist/main.js';

/** From spawning the compiled daemon to its first 200 on /healthz, beside a bare `node -e 0`. */
export async function measureStart(): Promise<void> {
  if (!existsSync(built)) throw new Error(`there is no ${built}: npm run build makes it`);
  const starts: number[] = [];
  const memory: number[] = [];
  const bare: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const one = await startOnce();
    starts.push(one.ms);
    memory.push(one.megabytes);
    bare.push(await bareNode());
  }
  process.stdout.write(`Start and idle memory, compiled, median of ${runs}\n`);
  const ratio = (median(starts) / median(bare)).toFixed(1);
  line('start to /healthz', `${median(starts).toFixed(0)} ms, ${ratio} times a bare node`);
  line('resident memory, idle', `${median(memory).toFixed(0)} MB`);
}

async function startOnce(): Promise<{ ms: number; megabytes: number }> {
  const dir = mkdtempSync(join(tmpdir(), 'sidecar-bench-'));
  const port = await freePort();
  const began = performance.now();
  const child = spawn(process.execPath, [built, 'serve'], {
    env: { SIDECAR_PORT: String(port), SIDECAR_DATA_DIR: dir, SIDECAR_LOG_LEVEL: 'silent' },
    stdio: 'ignore',
  });
  const exited = once(child, 'exit');
  try {
    const healthy = async () => (await answers(`http://127.0.0.1:${port}/healthz`)) || undefined;
    await waitUntil(healthy, { what: 'the daemon', withinMs: 10_000, everyMs: 5 });
    const ms = performance.now() - began;
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    return { ms, megabytes: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024 };
  } finally {
    child.kill('SIGTERM');
    await exited;
    rmSync(dir, { recursive: true, force: true });
  }
}

async function bareNode(): Promise<number> {
  const began = performance.now();
  await once(spawn(process.execPath, ['-e', '0']), 'exit');
  return performance.now() - began;
}
