import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A run as the minimal server keeps it. */
export interface MinimalRun {
  id: string;
  experimentId: string;
  startTime: number;
  endTime?: number;
  status: string;
  deleted: boolean;
  tags: Map<string, string>;
  params: Map<string, string>;
  metrics: Map<string, number>;
  /** All points of each metric; of those that are the same, one. */
  history: Map<string, MinimalPoint[]>;
  artifacts: Map<string, Buffer>;
}

export interface MinimalPoint {
  value: number;
  timestamp: number;
  step: number;
}

/** What to do instead of answering: answer this, or act first and then drop the connection. */
export type Fault =
  | { status: number; body?: object | string; headers?: Record<string, string> }
  | 'drop_before'
  | 'drop_after';

/**
 * The few requests that the sidecar makes of MLflow, answered from memory on a real socket. It stands
 * where the real server is too slow or cannot be made to fail as a test wants.
 */
export interface MinimalMlflow {
  url: string;
  experiments: Map<string, { id: string; deleted: boolean }>;
  runs: Map<string, MinimalRun>;
  /** What artifact URIs begin with; `mlflow-artifacts:/` unless set. */
  artifactRoot: string;
  /** How many runs were ever made. */
  created: number;
  /** The names of the requests so far, in their order. */
  requests: string[];
  /** Asked before each request; what it returns happens instead. */
  fault: (request: string, body: unknown) => Fault | undefined;
  /** Told of each run that is ended; true: the run may be forgotten, where there are very many. */
  finished: (run: MinimalRun) => boolean;
  runsOf(tag: string, value: string): MinimalRun[];
  /** Acts on the last create once more, as a server does that was slow to act on an earlier one. */
  repeatCreate: () => void;
}

export async function startMinimalMlflow(t: {
  after(end: () => void): unknown;
}): Promise<MinimalMlflow> {
  const server = createServer((request, response) => {
    void answer(mlflow, request, response);
  });
  const mlflow: MinimalMlflow = {
    url: '',
    experiments: new Map(),
    runs: new Map(),
    artifactRoot: 'mlflow-artifacts:/',
    created: 0,
    requests: [],
    fault: () => undefined,
    finished: () => false,
    repeatCreate: () => undefined,
    runsOf: (tag, value) => [...mlflow.runs.values()].filter((run) => run.tags.get(tag) === value),
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  mlflow.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return mlflow;
}

async function answer(
  mlflow: MinimalMlflow,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://minimal');
  const bytes: Buffer[] = [];
  for await (const chunk of request) bytes.push(Buffer.from(chunk));
  const raw = Buffer.concat(bytes);
  const isArtifact = url.pathname.startsWith('/api/2.0/mlflow-artifacts/');
  const name = isArtifact ? 'artifacts/put' : url.pathname.replace('/api/2.0/mlflow/', '');
  const body: Record<string, unknown> =
    raw.length === 0 || isArtifact ? {} : JSON.parse(raw.toString());
  mlflow.requests.push(name);
  const fault = mlflow.fault(name, body);
  if (fault === 'drop_before') {
    request.socket.destroy();
    return;
  }
  if (typeof fault === 'object') {
    const text = typeof fault.body === 'string' ? fault.body : JSON.stringify(fault.body ?? {});
    response.writeHead(fault.status, fault.headers).end(text);
    return;
  }
  const { status, reply } = isArtifact
    ? putArtifact(mlflow, url.pathname, raw)
    : act(mlflow, name, body, url);
  if (fault === 'drop_after') {
    request.socket.destroy();
    return;
  }
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
}

interface Reply {
  status: number;
  reply: object;
}

const done = (reply: object): Reply => ({ status: 200, reply });
const refused = (status: number, error_code: string, message = error_code): Reply => ({
  status,
  reply: { error_code, message },
});

function act(mlflow: MinimalMlflow, name: string, body: Record<string, unknown>, url: URL): Reply {
  const run = mlflow.runs.get(String(body['run_id']));
  switch (name) {
    case 'experiments/get-by-name': {
      const found = mlflow.experiments.get(url.searchParams.get('experiment_name') ?? '');
      if (found === undefined) return refused(404, 'RESOURCE_DOES_NOT_EXIST');
      const lifecycle_stage = found.deleted ? 'deleted' : 'active';
      return done({ experiment: { experiment_id: found.id, lifecycle_stage } });
    }
    case 'experiments/create': {
      const own = String(body['name']);
      if (mlflow.experiments.has(own)) return refused(400, 'RESOURCE_ALREADY_EXISTS');
      const id = String(mlflow.experiments.size + 1);
      mlflow.experiments.set(own, { id, deleted: false });
      return done({ experiment_id: id });
    }
    case 'experiments/restore':
      for (const one of mlflow.experiments.values()) {
        if (one.id === body['experiment_id']) one.deleted = false;
      }
      return done({});
    case 'runs/create':
      mlflow.repeatCreate = () => createRun(mlflow, body);
      return createRun(mlflow, body);
    case 'runs/search':
      return done({
        runs: searchRuns(mlflow, String(body['filter'])).map((run) => infoOf(mlflow, run)),
      });
    case 'runs/log-batch': {
      if (run === undefined) return refused(404, 'RESOURCE_DOES_NOT_EXIST');
      if (run.deleted) {
        return refused(
          400,
          'INVALID_PARAMETER_VALUE',
          "The run 0a1b must be in the 'active' state. Current state is deleted.",
        );
      }
      for (const { key, value } of listOf(body['params'])) run.params.set(key, String(value));
      for (const { key, ...point } of listOf(body['metrics'])) logMetric(run, key, point);
      for (const { key, value } of listOf(body['tags'])) run.tags.set(key, String(value));
      return done({});
    }
    case 'runs/delete':
      if (run === undefined) return refused(404, 'RESOURCE_DOES_NOT_EXIST');
      run.deleted = true;
      return done({});
    case 'runs/update':
      if (run === undefined) return refused(404, 'RESOURCE_DOES_NOT_EXIST');
      run.status = String(body['status']);
      run.endTime = Number(body['end_time']);
      if (mlflow.finished(run)) mlflow.runs.delete(run.id);
      return done({ run_info: {} });
    default:
      return { status: 404, reply: {} };
  }
}

function createRun(mlflow: MinimalMlflow, body: Record<string, unknown>): Reply {
  const experimentId = String(body['experiment_id']);
  const experiment = [...mlflow.experiments.values()].find(({ id }) => id === experimentId);
  if (experiment === undefined) return refused(404, 'RESOURCE_DOES_NOT_EXIST');
  if (experiment.deleted) {
    return refused(
      400,
      'INVALID_PARAMETER_VALUE',
      "The experiment 1 must be in the 'active' state. Current state is deleted.",
    );
  }
  mlflow.created += 1;
  const run: MinimalRun = {
    id: `run-${mlflow.created}`,
    experimentId,
    startTime: Number(body['start_time']),
    status: 'RUNNING',
    deleted: false,
    tags: new Map(listOf(body['tags']).map(({ key, value }) => [key, String(value)])),
    params: new Map(),
    metrics: new Map(),
    history: new Map(),
    artifacts: new Map(),
  };
  mlflow.runs.set(run.id, run);
  return done({ run: infoOf(mlflow, run) });
}

function searchRuns(mlflow: MinimalMlflow, filter: string): MinimalRun[] {
  const [, tag = '', value = '', start = ''] =
    /^tags\.`([^`]+)` = '([^']*)' and attributes\.start_time = (\d+)$/.exec(filter) ?? [];
  return mlflow.runsOf(tag, value).filter((run) => run.startTime === Number(start));
}

/** @param path Ends with the experiment, the run and the name, as `1/run/artifacts/call.json`. */
export function keepArtifact(mlflow: MinimalMlflow, path: string, raw: Buffer): void {
  const [, runId = '', name = ''] = /\/\d+\/([^/]+)\/artifacts\/(.+)$/.exec(path) ?? [];
  mlflow.runs.get(runId)?.artifacts.set(decodeURIComponent(name), raw);
}

function putArtifact(mlflow: MinimalMlflow, path: string, raw: Buffer): Reply {
  keepArtifact(mlflow, path, raw);
  return done({});
}

function infoOf({ artifactRoot }: MinimalMlflow, run: MinimalRun): object {
  return {
    info: {
      run_id: run.id,
      artifact_uri: `${artifactRoot}${run.experimentId}/${run.id}/artifacts`,
      status: run.status,
      lifecycle_stage: run.deleted ? 'deleted' : 'active',
    },
  };
}

function logMetric(run: MinimalRun, key: string, sent: { [name: string]: unknown }): void {
  const numberOf = (name: string) => Number(sent[name]);
  const point = {
    value: numberOf('value'),
    timestamp: numberOf('timestamp'),
    step: numberOf('step'),
  };
  run.metrics.set(key, point.value);
  const points = run.history.get(key) ?? [];
  run.history.set(key, points);
  const isKnown = points.some(
    ({ value, timestamp, step }) =>
      value === point.value && timestamp === point.timestamp && step === point.step,
  );
  if (!isKnown) points.push(point);
}

function listOf(value: unknown): { key: string; value: unknown; [name: string]: unknown }[] {
  return Array.isArray(value) ? value : [];
}
