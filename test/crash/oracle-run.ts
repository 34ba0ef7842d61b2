import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { readChunks } from '../support/chunk-reader.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { type SuiteMlflow, startFront } from '../support/front.ts';
import { createSender } from '../support/litellm-sender.ts';
import { mlflowReader } from '../support/mlflow-reader.ts';
import { createRandom, type Random } from '../support/random.ts';
import { type Sidecar, startSidecar } from '../support/sidecar.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { traceReader } from '../support/trace-reader.ts';
import { untilUsageHas, usageSums } from '../support/usage-sums.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createFaultPlan, refusals } from './fault-plan.ts';
import { createKiller, type KillPoint, killPlan } from './killer.ts';
import { createOracle, type HandedOut, type Oracle } from './oracle.ts';
import { createStepOrder } from './step-order.ts';

export interface OracleRun {
  /** What all is recorded in; nobody else makes runs in its `/oracle`. */
  readonly mlflow: Pick<SuiteMlflow, 'url' | 'moto'>;
  /** How often the sidecar is killed; 11 or more, so that each kind of moment comes. */
  readonly kills: number;
  /** Decides what chance chooses; the moments of two processes are not in its hand. */
  readonly seed: number;
  /** Does more harm, once before each kill. */
  readonly disturb?: (round: number) => Promise<void>;
}

const experiment = '/oracle';

/** The kills that each run has, whatever else chance chooses. */
const killsToCome: readonly { what: string; isAt: (point: KillPoint) => boolean }[] = [
  { what: 'at the moment of an acknowledgement', isAt: (point) => point === 'acknowledged' },
  { what: 'at a create', isAt: (point) => point.endsWith('runs/create') },
];

/**
 * Posts calls without an end while requests fail, MLflow refuses and the sidecar is killed, at times
 * while it stops; then lets all come to rest: every acknowledged call has exactly one finished run with
 * its content, is once in the calls table, the archive and the traces, and usage adds up to them all.
 */
export async function runOracle(t: TestContext, options: OracleRun): Promise<void> {
  const { mlflow, kills, seed, disturb } = options;
  t.diagnostic(`seed ${seed}, ${kills} kills`);
  const random = createRandom(seed);
  const oracle = createOracle(random);
  const { proxy, sidecar } = await startAll(t, mlflow);
  const seen: Seen = { hits: [], held: new Set(), postedTwice: 0 };

  const killer = createKiller(sidecar);
  const stepOrder = createStepOrder();
  proxy.hook({
    arrived: (passing) => {
      stepOrder.arrived(passing);
      return killer.hooks.arrived?.(passing);
    },
    acted: (passing, answer) => {
      stepOrder.acted(passing, answer);
      return killer.hooks.acted?.(passing, answer);
    },
    answered: killer.hooks.answered ?? (() => undefined),
  });
  const faults = createFaultPlan(random);
  proxy.harm(faults);

  const enough = new AbortController();
  const post = createSender(sidecar.eventsUrl, { onAcknowledged: killer.acknowledged });
  const sending = [1, 2].map(() => send({ oracle, post, random, enough: enough.signal, seen }));
  for (const [round, point] of killPlan(kills, random).entries()) {
    const refusal = round % 4 === 1 ? refusals[((round - 1) / 4) % refusals.length] : undefined;
    if (refusal !== undefined) {
      const { fault, heldAs } = refusal;
      proxy.harm(() => fault);
      await untilHeld(sidecar, heldAs);
      seen.held.add(heldAs);
    }
    // The first of a kind that has to come is waited for; it may not while MLflow refuses, or in a stop.
    const isFirst = killsToCome.some(({ isAt }) => isAt(point) && !seen.hits.some(isAt));
    if (isFirst || random.chance(0.7)) proxy.harm(faults);
    await disturb?.(round);
    // A stop sends usage and the open chunk; the kill comes in the midst of it, or after it.
    if (!isFirst && round % 3 === 2) void sidecar.stop().catch(() => undefined);
    const withinMs = isFirst ? 90_000 : point === 'any time' ? random.between(0, 2_000) : 6_000;
    seen.hits.push(await killer.kill(point, withinMs));
    proxy.harm(faults);
    await sidecar.start();
  }

  enough.abort();
  await Promise.all(sending);
  proxy.heal();
  await comeToRest(sidecar);
  // In a chunk of its own, since the stop has closed the one before.
  const fresh = oracle.next();
  fresh.fate = await post([fresh.event]);
  assert.equal(fresh.fate, 'acknowledged');
  await comeToRest(sidecar);
  await sidecar.drained(200_000 + kills * 2_000);
  await proxy.settled();

  await oracle.check(mlflow.url, experiment);
  await assertUsage(mlflow.url);
  await assertChunks(mlflow.url);
  // The release that SageMaker runs takes none.
  if (mlflow.moto === undefined) await assertTraces(mlflow.url);
  assert.deepEqual(stepOrder.violations, []);
  const metrics = await sidecar.metrics();
  const account = (name: string) => metrics[`litellm_mlflow_${name}`] ?? 0;
  assert.equal(account('account_adds_up'), 1);
  assert.equal(account('calls_recorded_total'), account('calls_accepted_total'));
  const duplicates = account('calls_duplicate_total');
  assertSeen(t, { oracle, proxy, seen, duplicates, kills });
}

/** Has the runs made, for which a stop does not wait, and all else sent by a stop. */
async function comeToRest(sidecar: Sidecar): Promise<void> {
  const look = async () =>
    (await sidecar.metrics())['litellm_mlflow_detail_pending{for="run"}'] === 0 ? true : undefined;
  await waitUntil(look, { what: 'all runs to be made', withinMs: 400_000, everyMs: 200 });
  await sidecar.stop();
  await sidecar.start();
}

/** The calls that have a run are in one chunk each, by its table and by its lines. */
async function assertChunks(url: string): Promise<void> {
  const reader = mlflowReader(url);
  const calls = await reader.runs(experiment);
  const once = new Map(calls.map(({ tags }) => [tags['request_id'] ?? '', 1] as const));
  const kept = await readChunks(reader, `${experiment}/calls`);
  assert.ok(kept.chunks > 1, `${kept.chunks} chunks`);
  assert.deepEqual(kept.tables, once);
  assert.deepEqual(kept.archive, once);
}

/** The calls that have a run have one trace each, whose tokens count once. */
async function assertTraces(url: string): Promise<void> {
  const calls = await mlflowReader(url).runs(experiment);
  const reader = traceReader(url);
  const traces = await reader.traces(experiment);
  const ids = traces.map(({ tags }) => tags['request_id']);
  assert.deepEqual(ids.sort(), calls.map(({ tags }) => tags['request_id']).sort());
  const tokens = calls.reduce((sum, { metrics }) => sum + (metrics['total_tokens'] ?? 0), 0);
  assert.equal(await reader.sum(experiment, 'TRACES', 'total_tokens'), tokens);
}

/** The runs of calls are those that were posted; what usage says of them is the same, to the call. */
async function assertUsage(url: string): Promise<void> {
  const reader = mlflowReader(url);
  const calls = await reader.runs(experiment);
  const sums = usageSums(reader, `${experiment}/usage`);
  await untilUsageHas(sums, calls.length);
  const added = (metric: string) =>
    calls.reduce((sum, { metrics }) => sum + (metrics[metric] ?? 0), 0);
  assert.equal(await sums('requests', 'recovered'), calls.length);
  assert.equal(await sums('failures'), calls.filter(({ status }) => status === 'FAILED').length);
  assert.equal(await sums('total_tokens'), added('total_tokens'));
  const cost = added('cost_usd');
  assert.ok(Math.abs((await sums('cost_usd')) - cost) <= 1e-9 * cost);
}

interface Seen {
  hits: KillPoint[];
  /** The reasons for which MLflow was held. */
  held: Set<string>;
  /** Calls that were posted a second time on purpose. */
  postedTwice: number;
}

async function startAll(t: TestContext, mlflow: OracleRun['mlflow']) {
  const dir = tempFolder(t);
  const config = join(dir, 'sidecar.yaml');
  writeFileSync(config, 'destination: { timeout: 2s }\n');
  const { proxy, trackingUri, environment, close } = await startFront(mlflow);
  t.after(close);
  const sidecar = await startSidecar({
    trackingUri,
    experiment,
    env: {
      ...environment,
      ...{ SIDECAR_CONFIG: config, SIDECAR_RECORD_USAGE: 'on', SIDECAR_USAGE_INTERVAL: '1' },
      ...{ SIDECAR_RECORD_CALLS: 'on', SIDECAR_RECORD_TRACES: 'auto' },
    },
  });
  t.after(() => sidecar.close());
  return { proxy, sidecar };
}

interface Sending {
  oracle: Oracle;
  post: ReturnType<typeof createSender>;
  random: Random;
  enough: AbortSignal;
  seen: Seen;
}

/** Posts batch after batch: small ones, and now and then one of megabytes, whose commit takes long. */
async function send({ oracle, post, random, enough, seen }: Sending): Promise<void> {
  while (!enough.aborted) {
    const large = random.chance(0.15);
    const length = large ? 3 : random.between(1, 6);
    const batch: HandedOut[] = Array.from({ length }, () => oracle.next(large ? 1_000_000 : 0));
    const events = batch.map(({ event }) => event);
    const fate = await post(events);
    for (const call of batch) call.fate = fate;
    if (fate === 'acknowledged' && random.chance(0.2)) {
      if ((await post(events)) === 'acknowledged') seen.postedTwice += length;
    }
    await pause(random.between(200, 1_400));
  }
}

/** Waits until the sidecar says of itself that it holds MLflow's calls for this reason. */
async function untilHeld(sidecar: Sidecar, reason: string): Promise<void> {
  let seen = 'not held';
  const look = async () => {
    const health: { destinations: { mlflow: { state: string; reason?: string } } } = JSON.parse(
      await (await fetch(`${sidecar.url}/healthz`)).text(),
    );
    const { state, reason: said = 'not held' } = health.destinations.mlflow;
    seen = said;
    return state === 'held' && said === reason ? true : undefined;
  };
  const what = () => `MLflow to be held as ${reason}; it was ${seen}`;
  await waitUntil(look, { what, withinMs: 90_000 });
}

interface Ended {
  oracle: Oracle;
  proxy: FaultProxy;
  seen: Seen;
  duplicates: number;
  kills: number;
}

/** What did not happen would prove nothing. */
function assertSeen(t: TestContext, { oracle, proxy, seen, duplicates, kills }: Ended): void {
  const count = <T>(things: readonly T[]) => {
    const counts = new Map<T, number>();
    for (const thing of things) counts.set(thing, (counts.get(thing) ?? 0) + 1);
    return Object.fromEntries(counts);
  };
  const fates = count(oracle.calls.map(({ fate }) => fate));
  const faults = count(proxy.requests.flatMap(({ fault }) => fault ?? []));
  const hits = count(seen.hits);
  t.diagnostic(JSON.stringify({ fates, faults, hits, held: [...seen.held], duplicates }));
  assert.equal(seen.hits.length, kills);
  for (const { what, isAt } of killsToCome) assert.ok(seen.hits.some(isAt), `a kill ${what}`);
  assert.ok((fates['acknowledged'] ?? 0) > kills);
  assert.ok(seen.postedTwice > 0, 'calls were posted twice');
  const known = `of ${seen.postedTwice} calls that were acknowledged and posted again`;
  assert.ok(duplicates >= seen.postedTwice, `${duplicates} were known ${known}`);
  for (const fault of ['lose_answer', 'reset_answer', 'act_late', 'hang', 'answer'] as const) {
    assert.ok((faults[fault] ?? 0) > 0, fault);
  }
  const searches = proxy.named('runs/search').filter(({ body }) => !body.includes("'usage-"));
  assert.ok(searches.length > 0, 'an unclear create was searched for');
  for (const reason of ['forbidden', 'unavailable', 'throttled']) {
    assert.ok(seen.held.has(reason) || kills < 10, `held: ${reason}`);
  }
}
