import { type EventTap, startEventTap } from '../../support/event-tap.ts';
import { startFakeUpstream } from '../../support/fake-upstream.ts';
import { startFront, startSuiteMlflow } from '../../support/front.ts';
import { startLitellm } from '../../support/litellm-proxy.ts';
import { type MlflowRun, mlflowReader } from '../../support/mlflow-reader.ts';
import { type Sidecar, startSidecar } from '../../support/sidecar.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { type CallName, calls, loggedTwice, repeated } from './calls.ts';
import { type CallPlan, type MadeCall, makeCall } from './made-call.ts';
import { eventsIn, type PostedEvent } from './posted-event.ts';

/** A run with its files. */
export interface FiledRun {
  readonly run: MlflowRun;
  readonly files: ReadonlyMap<string, string>;
}

/** All calls made, all runs read. */
export interface Stage {
  readonly made: Readonly<Record<CallName, MadeCall>>;
  readonly runs: readonly FiledRun[];
  /** What LiteLLM posted. */
  readonly events: readonly PostedEvent[];
  /** How many events LiteLLM had to post. */
  readonly expected: number;
  readonly upstreamUrl: string;
  readonly token: string;
  readonly tap: EventTap;
  readonly sidecar: Sidecar;
  /** Reads the runs again. */
  read(): Promise<FiledRun[]>;
  close(): Promise<void>;
}

/** The sidecar's own choice. */
const experiment = '/litellm-monitoring';
const token = 'token-of-the-sidecar';

/** Starts the servers, makes the calls and waits until the sidecar has recorded what it was sent. */
export async function startStage(): Promise<Stage> {
  const started: { close(): Promise<void> }[] = [];
  const close = async () => {
    for (const server of started.splice(0).reverse()) await server.close();
  };
  const keep = async <T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const server = await starting;
    started.push(server);
    return server;
  };
  try {
    const upstream = await keep(startFakeUpstream());
    const mlflow = await keep(startSuiteMlflow());
    const { trackingUri, environment: env } = await keep(startFront(mlflow));
    const sidecar = await keep(startSidecar({ trackingUri, token, env }));
    const tap = await keep(startEventTap(sidecar.eventsUrl));
    const litellm = await keep(
      startLitellm({ upstreamUrl: upstream.url, eventsUrl: tap.eventsUrl, token }),
    );
    const make = (plan: CallPlan) => makeCall(litellm.url, upstream, plan);
    const made = { ...(await makeAll(calls, make)), ...(await makeAll(repeated, make)) };

    const expected = Object.keys(made).length + loggedTwice.size;
    const events = () => tap.bodies.flatMap(eventsIn);
    const received = () => events().length >= expected || undefined;
    await waitUntil(received, { what: `${expected} events of LiteLLM`, withinMs: 20_000 });
    await sidecar.drained();
    const reader = mlflowReader(mlflow.url);
    const read = async () => {
      const runs = await reader.runs(experiment, 'ALL');
      return Promise.all(
        runs.map(async (run) => {
          const names = await reader.artifacts(run.runId);
          const files = names.map(
            async (name): Promise<[string, string]> => [name, await reader.artifact(run, name)],
          );
          return { run, files: new Map(await Promise.all(files)) };
        }),
      );
    };
    const runs = await read();
    return {
      made,
      runs,
      events: events(),
      expected,
      upstreamUrl: upstream.url,
      token,
      tap,
      sidecar,
      read,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Four at a time. */
async function makeAll<Name extends string>(
  plans: Readonly<Record<Name, CallPlan>>,
  make: (plan: CallPlan) => Promise<MadeCall>,
): Promise<Record<Name, MadeCall>> {
  const made: Partial<Record<Name, MadeCall>> = {};
  const left = Object.keys(plans) as Name[];
  const worker = async () => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      made[name] = await make(plans[name]);
    }
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
  return made as Record<Name, MadeCall>;
}
