import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Pool } from 'undici';
import { bodyOf, eventsFrom } from '../support/litellm-event.ts';
import { startMinimalMlflow } from '../support/minimal-mlflow.ts';
import { startSidecar } from '../support/sidecar.ts';
import { line, percentile } from './percentile.ts';

const callsAPost = 100;
const postsASecond = 2;
const seconds = 30;
/** What makes a call as large as those of LiteLLM, 14 KB: the map that it repeats in each. */
const modelMap = { model_map_information: { filler: 'x'.repeat(12_000) } };

/**
 * How soon a post of 100 calls is acknowledged at 200 calls a second, while the same calls are being
 * delivered; beside a bare server that reads the same bodies and keeps nothing.
 */
export async function measureAcknowledgement(): Promise<void> {
  const cleanUp: (() => unknown)[] = [];
  const mlflow = await startMinimalMlflow({ after: (end) => cleanUp.push(end) });
  const sidecar = await startSidecar({
    trackingUri: mlflow.url,
    env: { SIDECAR_LOG_LEVEL: 'warn' },
  });
  cleanUp.push(sidecar.close);
  const bare = await startBareServer();
  cleanUp.push(bare.close);
  try {
    const bareTimes = await load(bare.url, seconds / 3);
    const times = await load(sidecar.eventsUrl, seconds);
    bareTimes.push(...(await load(bare.url, seconds / 3)));
    const metrics = await sidecar.metrics();
    await sidecar.drained();

    process.stdout.write(`200 calls a second for ${seconds} s, in posts of ${callsAPost}\n`);
    const show = (values: number[]) =>
      `p50 ${percentile(values, 0.5).toFixed(1)} ms, p99 ${percentile(values, 0.99).toFixed(1)} ms`;
    line('acknowledged by the sidecar', show(times));
    line('answered by a bare server', show(bareTimes));
    const ratio = percentile(times, 0.5) / percentile(bareTimes, 0.5);
    line('ratio of the medians', ratio.toFixed(1));
    const lag = (share: string) =>
      (Number(metrics[`nodejs_eventloop_lag_${share}_seconds`]) * 1000 - timerMs).toFixed(1);
    line('event loop delay of the sidecar', `p50 ${lag('p50')} ms, p99 ${lag('p99')} ms`);
    line('calls recorded meanwhile', `${mlflow.runs.size} of ${times.length * callsAPost}`);
  } finally {
    for (const end of cleanUp.reverse()) await end();
  }
}

/** Node samples the loop with a timer of 10 ms, which its histogram includes. */
const timerMs = 10;

let lastCall = 0;

async function load(url: string, forSeconds: number): Promise<number[]> {
  const pool = new Pool(new URL(url).origin, { connections: 4 });
  const posts: Promise<number>[] = [];
  for (let post = 0; post < forSeconds * postsASecond; post += 1) {
    const body = bodyOf(...eventsFrom(lastCall + 1, lastCall + callsAPost, modelMap));
    lastCall += callsAPost;
    posts.push(timed(pool, new URL(url).pathname, body));
    await pause(1000 / postsASecond);
  }
  const times = await Promise.all(posts);
  await pool.close();
  return times;
}

async function timed(pool: Pool, path: string, body: Uint8Array): Promise<number> {
  const began = performance.now();
  const response = await pool.request({ path, method: 'POST', body });
  await response.body.text();
  if (response.statusCode !== 200) throw new Error(`answered ${response.statusCode}`);
  return performance.now() - began;
}

async function startBareServer(): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => {
    request.on('data', () => undefined).on('end', () => response.end('{}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/v1/events`, close: () => server.close() };
}
