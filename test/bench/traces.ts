import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { otlpBody } from '../../src/mlflow/otlp.ts';
import { planTrace } from '../../src/record/trace/plan-trace.ts';
import { admitCall } from '../support/admitted-call.ts';
import { startCompiledSidecar } from '../support/compiled-sidecar.ts';
import { type CountingProxy, startCountingProxy } from '../support/counting-proxy.ts';
import { eventsFrom } from '../support/litellm-event.ts';
import { startMlflow } from '../support/mlflow-server.ts';
import { postEvents } from '../support/post-events.ts';
import { waitUntil } from '../support/wait-until.ts';
import { line } from './percentile.ts';

const calls = 2_000;
const batch = 100;
const rounds = 5;
/** As many as the sidecar has under way. */
const underWay = 3;

/**
 * How many traces a second a real MLflow takes from the sidecar, beside a bare sender of such traces in
 * the same batches, by the same way and in turns, of which each is first every other time. The ids of
 * both are hashes: a database takes ids in their order a tenth faster.
 */
export async function measureTraces(): Promise<void> {
  const cleanUp: (() => unknown)[] = [];
  try {
    const mlflow = await startMlflow();
    cleanUp.push(mlflow.close);
    const proxy = await startCountingProxy(mlflow.url);
    cleanUp.push(proxy.close);
    const bare: number[] = [];
    const own: number[] = [];
    let requests = 0;
    for (let round = 0; round < rounds; round += 1) {
      const first = round * calls + 1;
      const turns = [
        async () => {
          const rate = await sendBare(proxy.url, first);
          if (round > 0) bare.push(rate);
        },
        async () => {
          const sent = await sendThroughSidecar(proxy, first + 1_000_000);
          if (round > 0) own.push(sent.rate);
          requests = sent.requests;
        },
      ];
      for (const turn of round % 2 === 0 ? turns : turns.reverse()) await turn();
    }
    const mean = (rates: number[]) => rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
    process.stdout.write(
      `${calls} traces in requests of ${batch}, ${rounds - 1} rounds after a first\n`,
    );
    line('a bare sender', `${mean(bare).toFixed(0)} traces a second`);
    line('the sidecar, compiled', `${mean(own).toFixed(0)} traces a second`);
    line('ratio', (mean(own) / mean(bare)).toFixed(2));
    line('requests a call', (requests / calls).toFixed(3));
  } finally {
    for (const end of cleanUp.reverse()) await end();
  }
}

async function sendBare(url: string, first: number): Promise<number> {
  const bodies: Buffer[] = [];
  for (let at = first; at < first + calls; at += batch) {
    const plans = eventsFrom(at, at + batch - 1).map((event) => {
      const { record, body } = admitCall(event, Date.now());
      return planTrace(record, body);
    });
    bodies.push(gzipSync(await otlpBody(plans), { level: 1 }));
  }
  const made = await fetch(`${url}/api/2.0/mlflow/experiments/create`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: `/bare-${first}` }),
  });
  const { experiment_id }: { experiment_id: string } = JSON.parse(await made.text());
  const send = async (body: Buffer) => {
    const answer = await fetch(`${url}/v1/traces`, {
      method: 'POST',
      headers: {
        ...{ 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' },
        'x-mlflow-experiment-id': experiment_id,
      },
      body: new Uint8Array(body),
    });
    if (!answer.ok) throw new Error(`MLflow answered ${answer.status}: ${await answer.text()}`);
  };
  const began = performance.now();
  const senders = Array.from({ length: underWay }, async () => {
    for (let body = bodies.shift(); body !== undefined; body = bodies.shift()) await send(body);
  });
  await Promise.all(senders);
  return (calls * 1_000) / (performance.now() - began);
}

async function sendThroughSidecar(proxy: CountingProxy, first: number) {
  const dir = mkdtempSync(join(tmpdir(), 'sidecar-bench-'));
  const before = proxy.requests.length;
  const requests = () => proxy.requests.slice(before);
  const sidecar = await startCompiledSidecar({
    trackingUri: proxy.url,
    dir,
    env: {
      ...{ SIDECAR_RECORD_RUNS: 'off', SIDECAR_RECORD_CALLS: 'off', SIDECAR_RECORD_USAGE: 'off' },
      ...{ SIDECAR_RECORD_TRACES: 'on', MLFLOW_EXPERIMENT_NAME: `/own-${first}` },
    },
  });
  try {
    const isTracing = () => (requests().length > 0 ? true : undefined);
    await waitUntil(isTracing, { what: 'the way of traces to be found', withinMs: 30_000 });
    await postEvents(sidecar.eventsUrl, eventsFrom(first, first + calls - 1));
    const sentBefore = () => requests().filter(({ path }) => path === '/v1/traces').length;
    await waitUntil(() => (sentBefore() > 0 ? true : undefined), {
      ...{ what: 'the first traces', withinMs: 60_000, everyMs: 5 },
    });
    const began = performance.now();
    const sent = async () =>
      (await sidecar.metrics())['litellm_mlflow_traces_sent_total'] === calls || undefined;
    await waitUntil(sent, { what: 'all traces', withinMs: 600_000, everyMs: 200 });
    return { rate: (calls * 1_000) / (performance.now() - began), requests: sentBefore() };
  } finally {
    await sidecar.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}
