import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFakeUpstream } from '../support/fake-upstream.ts';
import { startLitellm } from '../support/litellm-proxy.ts';
import { startMlflow } from '../support/mlflow-server.ts';
import { litellmPins, mlflowPins, pythonEnv } from '../support/python-env.ts';
import { startSidecar } from '../support/sidecar.ts';

/** A step of the demo that failed, with the end of the log of the part it failed in. */
export class DemoFailure extends Error {
  readonly code = 'DEMO_FAILED';
}

export interface Part {
  readonly name: string;
  readonly url: string;
  tail(lines?: number): string;
  close(): Promise<void>;
}

/** The three servers of the demo and what they stand on, all their data in one temporary folder. */
export interface Stack {
  mlflow(): Promise<Part>;
  sidecar(trackingUri: string): Promise<Awaited<ReturnType<typeof startSidecar>>>;
  litellm(eventsUrl: string): Promise<Part>;
  environments(progress: (line: string) => void): Promise<void>;
  readonly dir: string;
  /** Rejects when one of the servers ends without being asked to. */
  readonly partEnded: Promise<never>;
  /** Ends all that was started, the last one first; removes the data unless told to keep it. */
  close(options: { keepData: boolean }): Promise<void>;
}

export async function createStack(): Promise<Stack> {
  const dir = await mkdtemp(join(tmpdir(), 'litellm-mlflow-demo-'));
  const token = 'demo-token';
  const closers: (() => Promise<void>)[] = [];
  const opened = <T extends { close(): Promise<void> }>(part: T): T => {
    closers.push(() => part.close());
    return part;
  };
  const { promise: partEnded, reject: onUnexpectedEnd } = Promise.withResolvers<never>();
  partEnded.catch(() => {});
  return {
    dir,
    partEnded,
    environments: async (progress) => {
      await Promise.all([
        pythonEnv(mlflowPins, { progress }),
        pythonEnv(litellmPins, { progress }),
      ]);
    },
    mlflow: async () => {
      const server = opened(await startMlflow({ dir: join(dir, 'mlflow'), onUnexpectedEnd }));
      return { ...server, name: 'MLflow' };
    },
    sidecar: async (trackingUri) =>
      opened(
        await startSidecar({ trackingUri, token, dir: join(dir, 'sidecar'), onUnexpectedEnd }),
      ),
    litellm: async (eventsUrl) => {
      const upstream = opened(await startFakeUpstream());
      const proxy = await startLitellm({
        upstreamUrl: upstream.url,
        eventsUrl,
        token,
        dir: join(dir, 'litellm'),
        onUnexpectedEnd,
      });
      return { ...opened(proxy), name: 'LiteLLM' };
    },
    close: async ({ keepData }) => {
      for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
      if (!keepData) await rm(dir, { recursive: true, force: true });
    },
  };
}
