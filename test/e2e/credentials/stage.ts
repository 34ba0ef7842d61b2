import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { eventsFrom } from '../../support/litellm-event.ts';
import { type MinimalMlflow, startMinimalMlflow } from '../../support/minimal-mlflow.ts';
import { postEvents } from '../../support/post-events.ts';
import { type ProgramResult, runProgram } from '../../support/run-program.ts';
import type { AccessKeyLookup } from '../../support/sagemaker-edge/access-keys.ts';
import { type SagemakerEdge, startSagemakerEdge } from '../../support/sagemaker-edge/edge.ts';
import { serverEnvironment } from '../../support/server-environment.ts';
import { type Sidecar, startSidecar } from '../../support/sidecar.ts';
import { type SmallS3, startSmallS3 } from '../../support/small-s3.ts';
import { type SmallSts, startSmallSts } from '../../support/small-sts.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { waitUntil } from '../../support/wait-until.ts';

export const arn = 'arn:aws:sagemaker:eu-west-1:111122223333:mlflow-tracking-server/logs';

export interface Stage {
  edge: SagemakerEdge;
  mlflow: MinimalMlflow;
  s3: SmallS3;
  sts: SmallSts;
  /** The program's `HOME`, empty at first. */
  home: string;
  /** Points a program to all of it; holds no credentials. */
  environment: Readonly<Record<string, string>>;
}

/** AWS as the sidecar knows it, all at 127.0.0.1, without credentials for anybody but those of `find`. */
export async function startStage(
  t: TestContext,
  find: AccessKeyLookup,
  now: () => number = Date.now,
): Promise<Stage> {
  const home = tempFolder(t);
  const mlflow = await startMinimalMlflow(t);
  mlflow.artifactRoot = 's3://artifacts/mlflow/';
  const s3 = await startSmallS3(t);
  const sts = await startSmallSts(t, { credentials: find, now });
  const edge = await startSagemakerEdge({
    mlflow: mlflow.url,
    resources: [arn],
    credentials: async (id) => sts.find(id) ?? (await find(id)),
    rate: { perSecond: 10_000, burst: 10_000 },
    now,
  });
  t.after(edge.close);
  return {
    edge,
    mlflow,
    s3,
    sts,
    home,
    environment: {
      HOME: home,
      MLFLOW_TRACKING_URI: arn,
      SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT: edge.url,
      AWS_ENDPOINT_URL_S3: s3.url,
      AWS_ENDPOINT_URL_STS: sts.url,
      // Nothing listens there: the size of the tracking server stays unknown.
      AWS_ENDPOINT_URL_SAGEMAKER: 'http://127.0.0.1:9',
      AWS_EC2_METADATA_DISABLED: 'true',
      SIDECAR_REQUESTS_PER_SECOND: '5000',
    },
  };
}

/** What `auth --json` prints. */
export interface AuthReport {
  source?: string;
  region?: string;
  arn?: string;
  expires?: string;
  error?: string;
  advice?: string[];
}

export function auth(
  { environment }: Stage,
  more: Readonly<Record<string, string>>,
  ...words: string[]
): Promise<ProgramResult> {
  return runProgram(process.execPath, ['--import', 'tsx', 'src/main.ts', 'auth', ...words], {
    env: serverEnvironment(undefined, { ...environment, ...more }),
    withinMs: 60_000,
  });
}

export async function authReport(
  stage: Stage,
  more: Readonly<Record<string, string>> = {},
): Promise<AuthReport & { code: number | undefined }> {
  const { code, output } = await auth(stage, more, '--json');
  assert.match(output, /^\{/, output);
  return { code, ...JSON.parse(output) };
}

/** A file of settings that names roles to assume, for `SIDECAR_CONFIG`. */
export function settingsWithRoles({ home }: Stage, roles: readonly object[]): string {
  const file = join(home, 'sidecar.json');
  writeFileSync(file, JSON.stringify({ aws: { assumeRole: roles } }));
  return file;
}

/** A sidecar with the stage's environment and what a test adds to it, until the test ends. */
export async function sidecarOn(
  t: TestContext,
  { environment }: Stage,
  more: Readonly<Record<string, string>>,
): Promise<Sidecar> {
  const sidecar = await startSidecar({
    trackingUri: arn,
    env: { ...environment, ...more },
  });
  t.after(sidecar.close);
  return sidecar;
}

/** Posts calls with these numbers; they are on disk when it resolves. */
export async function post(sidecar: Sidecar, first: number, last: number): Promise<void> {
  const { accepted } = await postEvents(sidecar.eventsUrl, eventsFrom(first, last));
  assert.equal(accepted, last - first + 1);
}

/** Each call has one run that was ended, with its artifact, and no other. */
export function assertEachOnce({ mlflow, s3 }: Stage, calls: number): void {
  const runs = [...mlflow.runs.values()];
  const ids = new Set(runs.map((run) => run.tags.get('sidecar.record_id')));
  assert.deepEqual([mlflow.created, ids.size], [calls, calls]);
  assert.ok(runs.every(({ status, deleted }) => status === 'FINISHED' && !deleted));
  const bodies = [...s3.objects.keys()].filter((key) => key.endsWith('/call.json'));
  assert.equal(bodies.length, calls);
}

interface Health {
  destinations: { mlflow: { state: string; reason?: string; detail?: string } };
}

/** Waits until MLflow is held, and says why. */
export async function held(sidecar: Sidecar): Promise<{ reason?: string; detail?: string }> {
  return waitUntil(
    async () => {
      const response = await fetch(`${sidecar.url}/healthz`);
      const { destinations } = (await response.json()) as Health;
      return destinations.mlflow.state === 'held' ? destinations.mlflow : undefined;
    },
    { what: 'MLflow to be held', withinMs: 30_000 },
  );
}
