import { cut } from './serialize.ts';
import type { TraceData } from './trace-data.ts';
import { type NanoTime, type SafeSpan, safeSpan, traceLimits } from './traces-serialize.ts';

/** The body of `StartTraceV3`, which makes a trace without its spans, or writes over one. */
export function startTraceBody(experimentId: string, trace: TraceData): string {
  const span = safeSpan(trace);
  const { attributes } = span;
  return JSON.stringify({
    trace: {
      trace_info: {
        trace_id: `tr-${span.traceId}`,
        trace_location: {
          type: 'MLFLOW_EXPERIMENT',
          mlflow_experiment: { experiment_id: experimentId },
        },
        request_time: rfc3339(span.startTime),
        execution_duration: duration(span),
        state: span.isError ? 'ERROR' : 'OK',
        request_preview: preview(attributes['mlflow.spanInputs']),
        response_preview: preview(attributes['mlflow.spanOutputs']),
        trace_metadata: {
          'mlflow.trace.tokenUsage': attributes['mlflow.chat.tokenUsage'],
          'mlflow.trace.cost':
            attributes['mlflow.llm.cost'] === '{}' ? undefined : attributes['mlflow.llm.cost'],
          'mlflow.trace.session': attributes['session.id'],
          'mlflow.trace.user': attributes['user.id'],
          'mlflow.sourceRun': span.tags.find(([name]) => name === 'run_id')?.[1],
          'mlflow.trace_schema.version': '3',
        },
        tags: { 'mlflow.traceName': span.name, ...Object.fromEntries(span.tags) },
      },
    },
  });
}

/** `traces.json` as MLflow's own client writes it beside a trace: each attribute is JSON. */
export function tracesFile(trace: TraceData): Uint8Array {
  const span = safeSpan(trace);
  const { exception } = span;
  const requestId = JSON.stringify(`tr-${span.traceId}`);
  const file = {
    spans: [
      {
        trace_id: base64(span.traceId),
        span_id: base64(span.spanId),
        trace_state: '',
        parent_span_id: '',
        name: span.name,
        start_time_unix_nano: '@start',
        end_time_unix_nano: '@end',
        status: {
          code: span.isError ? 'STATUS_CODE_ERROR' : 'STATUS_CODE_OK',
          message: exception?.['exception.message'] ?? '',
        },
        attributes: { 'mlflow.traceRequestId': requestId, ...jsonAttributes(span) },
        ...(exception !== undefined && {
          events: [{ name: 'exception', time_unix_nano: '@end', attributes: exception }],
        }),
      },
    ],
  };
  // JavaScript's numbers end before today's nanoseconds.
  const text = JSON.stringify(file)
    .replace('"@start"', nanos(span.startTime))
    .replaceAll('_unix_nano":"@end"', `_unix_nano":${nanos(span.endTime)}`);
  return Buffer.from(text);
}

/** Attributes that are JSON already. */
const isJson = /^mlflow\.(spanInputs|spanOutputs|chat\.tokenUsage|llm\.cost)$/;

function jsonAttributes({ attributes }: SafeSpan): Record<string, string> {
  const entries = Object.entries(attributes).filter(
    ([name]) => !name.startsWith('mlflow.traceTag.'),
  );
  return Object.fromEntries(
    entries.map(([name, value]) => [name, isJson.test(name) ? value : JSON.stringify(value)]),
  );
}

function preview(json: string | undefined): string | undefined {
  return json === undefined ? undefined : cut(json, traceLimits.preview);
}

function rfc3339([seconds, nanoseconds]: NanoTime): string {
  return new Date(seconds * 1_000 + Math.floor(nanoseconds / 1e6)).toISOString();
}

function duration({ startTime, endTime }: SafeSpan): string {
  const ms = (endTime[0] - startTime[0]) * 1_000 + (endTime[1] - startTime[1]) / 1e6;
  return `${(Math.max(ms, 0) / 1_000).toFixed(6)}s`;
}

function nanos([seconds, nanoseconds]: NanoTime): string {
  return `${BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds)}`;
}

function base64(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}
