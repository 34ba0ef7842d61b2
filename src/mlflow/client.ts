import type { StreamBody } from '../aws/stream-body.ts';
import { createAsk, notOurs } from './ask.ts';
import { member, parsed, textMember } from './json-answer.ts';
import { mapDone, type Outcome } from './outcome.ts';
import {
  createExperimentBody,
  createRunBody,
  deleteRunBody,
  logBatchBody,
  presignUploadBody,
  type RunData,
  type RunEnd,
  type RunStart,
  restoreExperimentBody,
  searchRunsBody,
  updateRunBody,
} from './serialize.ts';
import type { RequestName, Send } from './transport.ts';

export interface Experiment {
  id: string;
  deleted: boolean;
}

export interface Run {
  id: string;
  /** Where its artifacts go, such as `mlflow-artifacts:/1/RUN/artifacts` or `s3://…`. */
  artifactUri: string;
  deleted: boolean;
  /** It was ended, which is the last that happens to it. */
  complete: boolean;
}

/** MLflow's REST API, one method a request. What became of a request is its outcome; none throws. */
export interface MlflowClient {
  /** `missing` where there is none of that name. */
  findExperiment(name: string): Promise<Outcome<Experiment>>;
  /** Its id; `exists` where another was quicker, or where a deleted one has the name. */
  createExperiment(name: string): Promise<Outcome<string>>;
  restoreExperiment(id: string): Promise<Outcome<void>>;
  createRun(experimentId: string, run: RunStart): Promise<Outcome<Run>>;
  /** Safe to send again. */
  logBatch(runId: string, data: RunData): Promise<Outcome<void>>;
  /** Safe to send again. */
  updateRun(runId: string, end: RunEnd): Promise<Outcome<void>>;
  /** Deletes a run as a person would: softly. */
  deleteRun(runId: string): Promise<Outcome<void>>;
  /** The runs with this tag that began exactly at `startTime`, deleted ones included. */
  findRuns(
    experimentId: string,
    tag: readonly [name: string, value: string],
    startTime: number,
  ): Promise<Outcome<Run[]>>;
  /** Through the server's artifact proxy, for a URI of the scheme `mlflow-artifacts`. */
  putProxiedArtifact(
    artifactUri: string,
    name: string,
    body: Uint8Array | StreamBody,
  ): Promise<Outcome<void>>;
  /** Asks for a URL to upload to. It is a secret, good for 15 minutes. */
  presignUpload(runId: string, name: string): Promise<Outcome<PresignedUpload>>;
}

export interface PresignedUpload {
  url: string;
  /** Headers that must come with the upload. */
  headers: Record<string, string>;
}

/** Told of each request, what became of it and how many milliseconds it took. */
export type OnOutcome = (
  request: RequestName,
  outcome: Outcome<unknown>['kind'],
  ms: number,
) => void;

export interface ClientOptions {
  /** Unix milliseconds. */
  now: () => number;
  onOutcome: OnOutcome;
}

export function createMlflowClient(send: Send, options: ClientOptions): MlflowClient {
  const ask = createAsk(send, options);

  const post = <T>(
    name: RequestName,
    body: string,
    from: (answer: unknown) => T | undefined,
    otherwise?: Outcome<T>,
  ) =>
    ask(
      { name, method: 'POST', path: apiPath(name), contentType: 'application/json', body },
      (answer) => from(parsed(answer)),
      otherwise,
    );

  return {
    findExperiment: (name) => {
      const query = new URLSearchParams({ experiment_name: name.toWellFormed() });
      const path = `${apiPath('experiments/get-by-name')}?${query}`;
      return ask({ name: 'experiments/get-by-name', method: 'GET', path }, (answer) =>
        experimentIn(member(parsed(answer), 'experiment')),
      );
    },
    createExperiment: (name) =>
      post('experiments/create', createExperimentBody(name), (answer) =>
        textMember(answer, 'experiment_id'),
      ),
    restoreExperiment: async (id) =>
      nothing(await post('experiments/restore', restoreExperimentBody(id), anyObject)),
    createRun: (experimentId, run) =>
      post(
        'runs/create',
        createRunBody(experimentId, run),
        (answer) => runIn(member(answer, 'run')),
        { kind: 'ambiguous', reason: notOurs },
      ),
    logBatch: async (runId, data) =>
      nothing(await post('runs/log-batch', logBatchBody(runId, data), anyObject)),
    updateRun: async (runId, end) =>
      nothing(await post('runs/update', updateRunBody(runId, end), anyObject)),
    deleteRun: async (runId) => nothing(await post('runs/delete', deleteRunBody(runId), anyObject)),
    findRuns: (experimentId, tag, startTime) =>
      post('runs/search', searchRunsBody(experimentId, tag, startTime), (answer) => {
        if (anyObject(answer) === undefined) return undefined;
        const runs = member(answer, 'runs') ?? [];
        return Array.isArray(runs) ? runs.map(runIn).filter((run) => run !== undefined) : undefined;
      }),
    presignUpload: (runId, name) =>
      post('artifacts/presigned-upload-url', presignUploadBody(runId, name), presignedUploadIn),
    putProxiedArtifact: (artifactUri, name, body) => {
      const folder = proxiedFolder(artifactUri);
      const path = `/api/2.0/mlflow-artifacts/artifacts/${folder}/${encodeURIComponent(name)}`;
      return ask(
        {
          name: 'artifacts/put',
          method: 'PUT',
          path,
          contentType: 'application/octet-stream',
          body,
        },
        (answer) => (answer.trim() === '' ? {} : anyObject(parsed(answer))),
      ).then(nothing);
    },
  };
}

function apiPath(name: RequestName): string {
  return `/api/2.0/mlflow/${name}`;
}

/** `mlflow-artifacts:/1/RUN/artifacts` and `mlflow-artifacts://HOST/1/RUN/artifacts`. */
function proxiedFolder(artifactUri: string): string {
  const folder = artifactUri.replace(/^mlflow-artifacts:(?:\/\/[^/]*)?\/+/, '');
  return folder.split('/').map(encodeURIComponent).join('/');
}

function nothing(outcome: Outcome<unknown>): Outcome<void> {
  return mapDone(outcome, () => undefined);
}

/** MLflow answers `{}` where it has nothing to say. */
function anyObject(value: unknown): object | undefined {
  return typeof value === 'object' && value !== null ? value : undefined;
}

function experimentIn(value: unknown): Experiment | undefined {
  const id = textMember(value, 'experiment_id');
  return id === undefined
    ? undefined
    : { id, deleted: member(value, 'lifecycle_stage') === 'deleted' };
}

function presignedUploadIn(value: unknown): PresignedUpload | undefined {
  const url = textMember(value, 'presigned_url');
  const headers = Object.entries(anyObject(member(value, 'headers')) ?? {});
  return url === undefined
    ? undefined
    : { url, headers: Object.fromEntries(headers.map(([name, text]) => [name, String(text)])) };
}

function runIn(value: unknown): Run | undefined {
  const info = member(value, 'info');
  const id = textMember(info, 'run_id');
  if (id === undefined) return undefined;
  return {
    id,
    artifactUri: textMember(info, 'artifact_uri') ?? '',
    deleted: member(info, 'lifecycle_stage') === 'deleted',
    complete: /^(FINISHED|FAILED)$/.test(textMember(info, 'status') ?? ''),
  };
}
