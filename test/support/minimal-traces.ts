import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import type { Fault } from './minimal-mlflow.ts';
import { type DecodedSpan, decodeSpans } from './otlp-decode.ts';

/** A trace as the minimal server keeps it. */
export interface MinimalTrace {
  experimentId: string;
  /** What MLflow's own sum of it is. */
  totalTokens: number;
  span?: DecodedSpan;
  /** `traces.json`. */
  file?: string;
}

/** What a release of MLflow knows of traces. */
export interface TraceAbilities {
  /** What it says it is; absent: a front keeps that from us. */
  version?: string;
  otlp?: boolean;
  serverInfo?: boolean;
  v3?: boolean;
  infos?: boolean;
  /** A trace that comes again counts again, and what is refused may have been kept in part. */
  isOld?: boolean;
}

/** The requests about traces that the sidecar makes, answered from memory on a real socket. */
export interface MinimalTraces {
  url: string;
  traces: Map<string, MinimalTrace>;
  experiments: Map<string, string>;
  /** Where the files of traces go, without a slash at its end. */
  artifactRoot: string;
  abilities: TraceAbilities;
  /** The requests so far, in their order, by the ends of their paths. */
  requests: string[];
  /** How many traces each POST of spans held. */
  batches: number[];
  /** Asked before each request; what it returns happens instead. */
  fault: (request: string, traceIds: readonly string[]) => Fault | undefined;
  /** Traces that it finds unacceptable. */
  refuses: (traceId: string) => Fault | undefined;
}

export async function startMinimalTraces(
  t: { after(end: () => void): unknown },
  abilities: TraceAbilities,
): Promise<MinimalTraces> {
  const server = createServer((request, response) => void answer(own, request, response));
  const own: MinimalTraces = {
    url: '',
    traces: new Map(),
    experiments: new Map(),
    artifactRoot: 'mlflow-artifacts:/1',
    abilities,
    requests: [],
    batches: [],
    fault: () => undefined,
    refuses: () => undefined,
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  own.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return own;
}

async function answer(own: MinimalTraces, request: IncomingMessage, response: ServerResponse) {
  const url = new URL(request.url ?? '/', 'http://minimal');
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(Buffer.from(part));
  const sent = Buffer.concat(parts);
  const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
  const name = url.pathname.replace(/^\/api\/[\d.]+\/(mlflow\/)?|^\//, '');
  const spans = name === 'v1/traces' ? decodeSpans(body) : [];
  own.requests.push(name.replace(/artifacts\/artifacts\/.*/, 'artifacts'));
  const ids = spans.map(({ traceId }) => traceId);
  const fault = own.fault(name, ids);
  const reply = (status: number, answered: unknown) =>
    response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(typeof answered === 'string' ? answered : JSON.stringify(answered));
  if (fault === 'drop_before') return request.socket.destroy();
  if (typeof fault === 'object') return reply(fault.status, fault.body ?? {});
  const experimentId = String(request.headers['x-mlflow-experiment-id']);
  const [status, answered] = act(own, name, url, request.method ?? '', body, spans, experimentId);
  if (fault === 'drop_after') return request.socket.destroy();
  return reply(status, answered);
}

const unknown: [number, string] = [404, '<!doctype html><title>404 Not Found</title>'];
const missing: [number, object] = [404, { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'no' }];

function act(
  own: MinimalTraces,
  name: string,
  url: URL,
  method: string,
  body: Buffer,
  spans: DecodedSpan[],
  experimentId: string,
): [number, unknown] {
  const { version, otlp, serverInfo, v3, infos } = own.abilities;
  const listed = (list: string, from: string[], info: (trace_id: string) => object) =>
    [200, { [list]: from.filter((id) => own.traces.has(id.slice(3))).map(info) }] satisfies [
      number,
      object,
    ];
  switch (name) {
    case 'version':
      return version === undefined ? unknown : [200, version];
    case 'server-info':
      return serverInfo ? [200, { store_type: 'SqlStore' }] : unknown;
    case 'experiments/get-by-name': {
      const id = own.experiments.get(url.searchParams.get('experiment_name') ?? '');
      return id === undefined ? missing : [200, { experiment: { experiment_id: id } }];
    }
    case 'experiments/create': {
      const id = String(own.experiments.size + 1);
      own.experiments.set(JSON.parse(body.toString()).name, id);
      return [200, { experiment_id: id }];
    }
    case 'traces/batchGetInfos':
      return infos
        ? listed('trace_infos', JSON.parse(body.toString()).trace_ids, (trace_id) => ({ trace_id }))
        : unknown;
    case 'traces/batchGet':
      return listed('traces', url.searchParams.getAll('trace_ids'), (trace_id) => ({
        trace_info: { trace_id },
      }));
    case 'v1/traces':
      return otlp ? takeSpans(own, spans, experimentId) : unknown;
    case 'traces':
      return v3 ? startTrace(own, body) : unknown;
    default:
      if (method === 'PUT') return putFile(own, name, body);
      return v3 && name.startsWith('traces/tr-') ? missing : unknown;
  }
}

function takeSpans(
  own: MinimalTraces,
  spans: DecodedSpan[],
  experimentId: string,
): [number, unknown] {
  if (spans.length === 0) return [400, { detail: 'Invalid OpenTelemetry format - no spans found' }];
  own.batches.push(spans.length);
  const known = [...own.experiments.values()].includes(experimentId);
  if (!known) return missing;
  const { isOld } = own.abilities;
  const refusal = (span: DecodedSpan) => own.refuses(span.traceId);
  const bad = spans.findIndex((span) => refusal(span) !== undefined);
  for (const span of bad === -1 ? spans : isOld ? spans.slice(0, bad) : []) {
    const usage = JSON.parse(span.attributes['mlflow.chat.tokenUsage'] ?? '{}');
    const before = isOld ? (own.traces.get(span.traceId)?.totalTokens ?? 0) : 0;
    const totalTokens = before + (usage.total_tokens ?? 0);
    own.traces.set(span.traceId, { experimentId, totalTokens, span });
  }
  const fault = spans[bad] && refusal(spans[bad]);
  return typeof fault === 'object' ? [fault.status, fault.body ?? {}] : [200, ''];
}

function startTrace(own: MinimalTraces, body: Buffer): [number, unknown] {
  const { trace_info } = JSON.parse(body.toString()).trace;
  const traceId = trace_info.trace_id.slice(3);
  const fault = own.refuses(traceId);
  if (typeof fault === 'object') return [fault.status, fault.body ?? {}];
  const usage = JSON.parse(trace_info.trace_metadata['mlflow.trace.tokenUsage'] ?? '{}');
  const experimentId = trace_info.trace_location.mlflow_experiment.experiment_id;
  own.traces.set(traceId, { experimentId, totalTokens: usage.total_tokens ?? 0 });
  const place = `${own.artifactRoot}/traces/tr-${traceId}/artifacts`;
  const tags = { 'mlflow.artifactLocation': place };
  return [200, { trace: { trace_info: { trace_id: trace_info.trace_id, tags } } }];
}

function putFile(own: MinimalTraces, name: string, body: Buffer): [number, unknown] {
  const trace = own.traces.get(/traces\/tr-(\w+)\/artifacts\/traces\.json$/.exec(name)?.[1] ?? '');
  if (trace === undefined) return missing;
  trace.file = body.toString();
  return [200, ''];
}
