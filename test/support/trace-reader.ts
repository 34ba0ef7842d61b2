import { type Fields, objectIn, textIn } from '../../src/call/fields.ts';

/** A trace as MLflow gives it back; it shares nothing with the client in src/. */
export interface MlflowTrace {
  /** Without `tr-`. */
  readonly id: string;
  readonly state: string;
  /** Unix milliseconds. */
  readonly startTime: number;
  readonly tokens: Readonly<Record<string, number>>;
  readonly cost: Readonly<Record<string, number>>;
  readonly session: string | undefined;
  readonly user: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly request: string | undefined;
  readonly response: string | undefined;
}

export interface TraceReader {
  /** All traces of an experiment; none when there is no such experiment. */
  traces(experiment: string): Promise<MlflowTrace[]>;
  /** A sum that MLflow's own Overview page shows, such as `total_tokens`; only from 3.9 on. */
  sum(experiment: string, view: 'TRACES' | 'SPANS', metric: string): Promise<number>;
}

export function traceReader(url: string): TraceReader {
  const api = async (path: string, body?: object): Promise<Fields> => {
    const response = await fetch(`${url}/api/${path}`, {
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
      headers: { 'content-type': 'application/json' },
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`MLflow answered ${response.status} for ${path}: ${text}`);
    return JSON.parse(text);
  };
  const idOf = async (name: string): Promise<string | undefined> => {
    const query = new URLSearchParams({ experiment_name: name });
    const found = await fetch(`${url}/api/2.0/mlflow/experiments/get-by-name?${query}`);
    if (found.status === 404) return undefined;
    return textIn(objectIn(objectIn(await found.json())['experiment'])['experiment_id']);
  };

  return {
    traces: async (experiment) => {
      const id = await idOf(experiment);
      const all: MlflowTrace[] = [];
      let page_token: unknown;
      do {
        if (id === undefined) break;
        const locations = [{ type: 'MLFLOW_EXPERIMENT', mlflow_experiment: { experiment_id: id } }];
        const page = await api('3.0/mlflow/traces/search', {
          ...{ locations, max_results: 500, page_token },
        });
        all.push(...listIn(page['traces']).map(traceOf));
        page_token = page['next_page_token'] || undefined;
      } while (page_token !== undefined);
      return all;
    },
    sum: async (experiment, view_type, metric_name) => {
      const { data_points } = await api('3.0/mlflow/traces/metrics', {
        ...{ experiment_ids: [await idOf(experiment)], view_type, metric_name },
        aggregations: [{ aggregation_type: 'SUM' }],
      });
      const [point] = listIn(data_points);
      return Number(objectIn(objectIn(point)['values'])['SUM'] ?? 0);
    },
  };
}

function listIn(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function textsIn(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(objectIn(value)).map(([name, text]) => [name, `${text}`]),
  );
}

function traceOf(value: unknown): MlflowTrace {
  const info = objectIn(value);
  const metadata = textsIn(info['trace_metadata']);
  return {
    id: String(info['trace_id']).replace('tr-', ''),
    state: String(info['state']),
    startTime: Date.parse(String(info['request_time'])),
    tokens: JSON.parse(metadata['mlflow.trace.tokenUsage'] ?? '{}'),
    cost: JSON.parse(metadata['mlflow.trace.cost'] ?? '{}'),
    session: metadata['mlflow.trace.session'],
    user: metadata['mlflow.trace.user'],
    tags: textsIn(info['tags']),
    request: textIn(info['request_preview']),
    response: textIn(info['response_preview']),
  };
}
