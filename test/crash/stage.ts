import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { type FrontOptions, type SuiteMlflow, startFront } from '../support/front.ts';
import { eventsFrom } from '../support/litellm-event.ts';
import { type MlflowRun, mlflowReader } from '../support/mlflow-reader.ts';
import { postEvents } from '../support/post-events.ts';
import type { SagemakerStack } from '../support/sagemaker-stack.ts';
import { type Sidecar, startSidecar } from '../support/sidecar.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

/** A sidecar, a proxy that can do harm, and behind it an MLflow that several tests may share. */
export interface Stage {
  readonly proxy: FaultProxy;
  readonly sidecar: Sidecar;
  /** What stands before an MLflow that SageMaker manages. */
  readonly sagemaker: SagemakerStack | undefined;
  readonly experiment: string;
  /** Posts calls with the numbers from `first` to `last`; each is acknowledged. */
  post(first: number, last: number): Promise<void>;
  /** All runs of the experiment, deleted ones too. */
  runs(): Promise<MlflowRun[]>;
  /** Waits until nothing is pending; then the calls from 1 to `last` have one complete run each. */
  assertRecorded(last: number, withinMs?: number): Promise<void>;
  /** A sample of the sidecar's own metrics, without their common prefix; 0 where there is none. */
  metric(name: string): Promise<number>;
  /** Waits until MLflow, or the place of artifacts, is held; resolves with the reason. */
  held(destination?: DestinationName): Promise<string>;
}

export interface StageOptions extends FrontOptions {
  readonly mlflow: Pick<SuiteMlflow, 'url' | 'moto'>;
  /** How long the sidecar waits for an answer. */
  readonly timeout?: string;
  /** Where the sidecar looks for MLflow, or for SageMaker's edge: where they are unless told. */
  readonly endpoint?: string;
  /** No proxy before an MLflow that is not managed. */
  readonly withoutProxy?: boolean;
  /** A journal to go on with. */
  readonly dir?: string;
  /** The experiment, or its template; the test's own unless told. */
  readonly experiment?: string;
  /** More settings, as they stand in the file. */
  readonly settings?: string;
  /** More of the sidecar's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

export async function startStage(t: TestContext, options: StageOptions): Promise<Stage> {
  const { mlflow, timeout = '2s', experiment = `/${t.name}`, settings = '' } = options;
  const { url } = mlflow;
  const config = join(tempFolder(t), 'sidecar.yaml');
  writeFileSync(config, `destination: { timeout: ${timeout} }\n${settings}`);
  const front = await startFront(mlflow, options);
  t.after(front.close);
  const { proxy, sagemaker } = front;
  const straight = options.withoutProxy ? url : front.trackingUri;
  const sidecar = await startSidecar({
    trackingUri: sagemaker?.arn ?? options.endpoint ?? straight,
    experiment,
    env: {
      ...front.environment,
      SIDECAR_CONFIG: config,
      ...(options.endpoint !== undefined && {
        SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT: options.endpoint,
      }),
      ...options.env,
    },
    ...(options.dir !== undefined && { dir: options.dir }),
  });
  t.after(() => sidecar.close());
  const runs = () => mlflowReader(url).runs(experiment, 'ALL');
  const metric = async (name: string) => (await sidecar.metrics())[`litellm_mlflow_${name}`] ?? 0;

  return {
    proxy,
    sidecar,
    sagemaker,
    experiment,
    runs,
    metric,
    post: async (first, last) => {
      const receipt = await postEvents(sidecar.eventsUrl, eventsFrom(first, last));
      assert.equal(receipt.accepted, last - first + 1);
    },
    assertRecorded: async (last, withinMs = 150_000) => {
      await sidecar.drained(withinMs);
      await proxy.settled();
      const found = await runs();
      const ids = Array.from({ length: last }, (_, index) => `call-${index + 1}`);
      assert.deepEqual(found.map((run) => run.tags['request_id']).sort(), ids.sort());
      for (const run of found) await assertComplete(url, run);
      assert.equal(await metric('account_adds_up'), 1);
      assert.equal(await metric('calls_recorded_total'), last);
    },
    held: (destination = 'mlflow') =>
      waitUntil(
        async () => {
          const { state, reason } = await stateOf(sidecar, destination);
          return state === 'held' ? (reason ?? 'no reason') : undefined;
        },
        { what: `${destination} to be held`, withinMs: 30_000 },
      ),
  };
}

export type DestinationName = 'mlflow' | 'artifacts';

interface DestinationState {
  readonly state: string;
  readonly reason?: string;
}

/** What the sidecar says of itself on /healthz. */
export interface Health {
  readonly destinations: Readonly<Record<DestinationName, DestinationState>>;
  readonly requests_per_second?: number;
}

export async function healthOf(sidecar: Sidecar): Promise<Health> {
  const response = await fetch(`${sidecar.url}/healthz`);
  assert.equal(response.status, 200, 'a destination that refuses is no fault of the sidecar');
  const health: Health = JSON.parse(await response.text());
  return health;
}

export async function stateOf(sidecar: Sidecar, destination: DestinationName) {
  return (await healthOf(sidecar)).destinations[destination];
}

export function mlflowState(sidecar: Sidecar): Promise<DestinationState> {
  return stateOf(sidecar, 'mlflow');
}

async function assertComplete(url: string, run: MlflowRun): Promise<void> {
  const id = run.tags['request_id'] ?? '';
  assert.deepEqual([run.status, run.lifecycle], ['FINISHED', 'active'], id);
  assert.equal(run.metrics['total_tokens'], 28, id);
  assert.equal(run.params['temperature'], '0.5', id);
  const body = await mlflowReader(url).artifact(run, 'call.json');
  assert.ok(body.includes(`question ${id.replace('call-', '')}`), id);
}

/** A fault for the first `times` requests of one name, and none afterwards. */
export function firstOf<F>(name: string, times: number, fault: F) {
  let left = times;
  return (passing: { name: string }): F | undefined => {
    if (passing.name !== name || left === 0) return undefined;
    left -= 1;
    return fault;
  };
}
