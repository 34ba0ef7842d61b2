import type { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { TraceData } from './trace-data.ts';
import { type SafeSpan, safeSpan } from './traces-serialize.ts';

type ReadableSpan = Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0][number];

/**
 * Traces as the body of an OTLP request, in protobuf, which every version that takes OTLP reads. The
 * library is loaded when it is first needed: it takes memory.
 */
export async function otlpBody(traces: readonly TraceData[]): Promise<Uint8Array> {
  const { ProtobufTraceSerializer: serializer } = await import('@opentelemetry/otlp-transformer');
  const spans = traces.map((trace) => readable(safeSpan(trace)));
  const bytes = serializer.serializeRequest(spans);
  if (bytes === undefined) throw new Error('the spans have no form in protobuf');
  return bytes;
}

/** OpenTelemetry's numbers for a span of a client, and for how it ended. */
const clientKind = 2;
const okCode = 1;
const errorCode = 2;
const sampled = 1;

const scope = { name: 'litellm-mlflow-sidecar' };
/** MLflow makes a tag of each of its attributes: it has none. */
const resource = { attributes: {}, merge: () => resource, getRawAttributes: () => [] };

function readable(span: SafeSpan): ReadableSpan {
  const { exception } = span;
  const message = exception?.['exception.message'];
  return {
    name: span.name,
    kind: clientKind,
    spanContext: () => ({ traceId: span.traceId, spanId: span.spanId, traceFlags: sampled }),
    startTime: span.startTime,
    endTime: span.endTime,
    duration: [0, 0],
    ended: true,
    status: {
      code: span.isError ? errorCode : okCode,
      ...(span.isError && message !== undefined && { message }),
    },
    attributes: span.attributes,
    links: [],
    events:
      exception === undefined
        ? []
        : [{ name: 'exception', time: span.endTime, attributes: exception }],
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}
