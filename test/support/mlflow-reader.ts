/** What tests read back from an MLflow server; it shares nothing with the client in src/. */
export interface MlflowRun {
  readonly runId: string;
  readonly runName: string;
  readonly status: string;
  readonly lifecycle: string;
  /** Unix milliseconds. */
  readonly startTime: number;
  readonly endTime: number | undefined;
  readonly artifactUri: string;
  /** The latest value of each. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly params: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

export interface MetricPoint {
  readonly value: number;
  readonly timestamp: number;
  readonly step: number;
}

export interface MlflowExperiment {
  readonly id: string;
  readonly name: string;
  readonly lifecycle: string;
}

export interface MlflowReader {
  /** `undefined` when there is none of that name; a deleted one is returned, with its lifecycle. */
  experiment(name: string): Promise<MlflowExperiment | undefined>;
  /** The names of all experiments that are not deleted, up to a thousand. */
  experimentNames(): Promise<string[]>;
  /** All runs of an experiment, deleted ones too with `view: 'ALL'`; none when there is no such experiment. */
  runs(experimentName: string, view?: 'ACTIVE_ONLY' | 'ALL'): Promise<MlflowRun[]>;
  metricHistory(runId: string, key: string): Promise<MetricPoint[]>;
  /** The paths of all files of a run, sorted. */
  artifacts(runId: string): Promise<string[]>;
  /** The content of one file of a run, which the server fetches from wherever it lies. */
  artifact(run: MlflowRun, path: string): Promise<string>;
  artifactBytes(run: MlflowRun, path: string): Promise<Buffer>;
}

export function mlflowReader(url: string): MlflowReader {
  const get = (path: string, query: Record<string, string>) =>
    fetch(`${url}/api/2.0/mlflow/${path}?${new URLSearchParams(query)}`);

  const experiment = async (name: string): Promise<MlflowExperiment | undefined> => {
    const response = await get('experiments/get-by-name', { experiment_name: name });
    if (response.status === 404) return undefined;
    const found = record(record(await bodyOf(response))['experiment']);
    return {
      id: String(found['experiment_id']),
      name: String(found['name']),
      lifecycle: String(found['lifecycle_stage']),
    };
  };

  const experimentNames = async (): Promise<string[]> => {
    const found = record(await bodyOf(await get('experiments/search', { max_results: '1000' })));
    return list(found['experiments']).map((one) => String(record(one)['name']));
  };

  const runs = async (experimentName: string, view: 'ACTIVE_ONLY' | 'ALL' = 'ACTIVE_ONLY') => {
    const found = await experiment(experimentName);
    const all: MlflowRun[] = [];
    let pageToken: string | undefined;
    do {
      if (found === undefined) break;
      const response = await fetch(`${url}/api/2.0/mlflow/runs/search`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          experiment_ids: [found.id],
          run_view_type: view,
          max_results: 1000,
          page_token: pageToken,
        }),
      });
      const page = record(await bodyOf(response));
      all.push(...list(page['runs']).map(parseRun));
      const next = page['next_page_token'];
      pageToken = typeof next === 'string' && next !== '' ? next : undefined;
    } while (pageToken !== undefined);
    return all;
  };

  const artifactBytes = async (run: MlflowRun, path: string): Promise<Buffer> => {
    const query = new URLSearchParams({ run_uuid: run.runId, path });
    const response = await fetch(`${url}/get-artifact?${query}`);
    const bytes = Buffer.from(await response.arrayBuffer());
    if (response.ok) return bytes;
    throw new Error(`MLflow answered ${response.status} for ${path}: ${bytes.toString()}`);
  };

  const artifacts = async (runId: string, path = ''): Promise<string[]> => {
    const query = path === '' ? { run_id: runId } : { run_id: runId, path };
    const files = list(record(await bodyOf(await get('artifacts/list', query)))['files']);
    const found: string[] = [];
    for (const file of files.map(record)) {
      const name = String(file['path']);
      if (file['is_dir'] === true) found.push(...(await artifacts(runId, name)));
      else found.push(name);
    }
    return found.sort();
  };

  return {
    experiment,
    experimentNames,
    runs,
    artifacts: (runId) => artifacts(runId),
    metricHistory: async (runId, key) => {
      const query = { run_id: runId, metric_key: key, max_results: '25000' };
      const body = record(await bodyOf(await get('metrics/get-history', query)));
      return list(body['metrics'])
        .map(record)
        .map((point) => ({
          value: Number(point['value']),
          timestamp: Number(point['timestamp']),
          step: Number(point['step'] ?? 0),
        }));
    },
    artifact: async (run, path) => (await artifactBytes(run, path)).toString(),
    artifactBytes,
  };
}

function parseRun(value: unknown): MlflowRun {
  const run = record(value);
  const info = record(run['info']);
  const data = record(run['data'] ?? {});
  const end = info['end_time'];
  return {
    runId: String(info['run_id']),
    runName: String(info['run_name']),
    status: String(info['status']),
    lifecycle: String(info['lifecycle_stage']),
    startTime: Number(info['start_time']),
    endTime: end === undefined || end === null ? undefined : Number(end),
    artifactUri: String(info['artifact_uri']),
    metrics: Object.fromEntries(
      pairs(data['metrics']).map(([key, metric]) => [key, Number(metric)]),
    ),
    params: Object.fromEntries(pairs(data['params']).map(([key, param]) => [key, String(param)])),
    tags: Object.fromEntries(pairs(data['tags']).map(([key, tag]) => [key, String(tag)])),
  };
}

function pairs(value: unknown): [string, unknown][] {
  return list(value)
    .map(record)
    .map((entry) => [String(entry['key']), entry['value'] ?? '']);
}

async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text();
  if (!response.ok) throw new Error(`MLflow answered ${response.status}: ${text.slice(0, 500)}`);
  const body: unknown = JSON.parse(text);
  return body;
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new Error(`No object: ${String(value)}`);
  return Object.fromEntries(Object.entries(value));
}
