import { cut, freeKey, key, text } from './serialize.ts';
import type { TraceData } from './trace-data.ts';

/**
 * What MLflow takes of a trace, over all versions. A session's id that is longer refuses the whole
 * request; a longer user is refused by PostgreSQL; tags are read back in 4096 characters, and what is
 * worse with them is left out without a word.
 */
export const traceLimits = {
  name: 250,
  session: 250,
  user: 250,
  tagValue: 4_096,
  tags: 100,
  /** Of model and provider. */
  dimension: 250,
  preview: 1_000,
  error: { type: 250, message: 8_000, stacktrace: 65_536 },
} as const;

/** Seconds and nanoseconds. */
export type NanoTime = [seconds: number, nanoseconds: number];

/** A span of which every value is of its type and within limits. */
export interface SafeSpan {
  traceId: string;
  spanId: string;
  name: string;
  isError: boolean;
  startTime: NanoTime;
  endTime: NanoTime;
  attributes: Record<string, string>;
  /** Of the event by which the error is told. */
  exception?: Record<string, string>;
  tags: [name: string, value: string][];
}

const tagPrefix = 'mlflow.traceTag.';

/**
 * The one place that makes spans. A single value that MLflow dislikes costs all the traces of a
 * request, so each is brought to what it takes: texts are well-formed and without NUL, also those
 * within inputs and outputs, of which MLflow makes previews for its database; numbers are finite, and
 * counts whole; an id is of hex digits and not zero.
 */
export function safeSpan(trace: TraceData): SafeSpan {
  const name = cut(text(trace.name), traceLimits.name) || '_';
  const tags = safeTags(trace);
  const startTime = nanoTime(trace.startTime);
  const endTime = nanoTime(Math.max(trace.startTime, trace.endTime));
  const tokens = numbers(trace.tokens, (count) =>
    Math.min(Math.max(Math.round(count), 0), Number.MAX_SAFE_INTEGER),
  );
  const attributes: Record<string, string | undefined> = {
    'mlflow.spanType': cut(text(trace.spanType), traceLimits.dimension),
    'mlflow.spanInputs': trace.inputs && safeJson(trace.inputs),
    'mlflow.spanOutputs': trace.outputs && safeJson(trace.outputs),
    'mlflow.message.format': trace.messageFormat,
    'mlflow.chat.tokenUsage': tokens.length === 0 ? undefined : json(tokens),
    // Without this attribute MLflow reckons a cost of its own from the model's name and the tokens, also
    // for an answer from the cache. An empty one adds nothing to any sum; from 3.15 on MLflow makes it a
    // zero in the trace's own list, and nothing else would keep it from reckoning.
    'mlflow.llm.cost': json(numbers(trace.cost, (usd) => usd)),
    'mlflow.llm.model': within(trace.model, traceLimits.dimension),
    'mlflow.llm.provider': within(trace.provider, traceLimits.dimension),
    'session.id': within(trace.session, traceLimits.session),
    'user.id': within(trace.user, traceLimits.user),
    [`${tagPrefix}mlflow.traceName`]: name,
  };
  for (const [tag, value] of tags) attributes[tagPrefix + tag] = value;
  return {
    traceId: id(trace.traceId, 32),
    spanId: id(trace.spanId, 16),
    name,
    isError: trace.status === 'ERROR',
    startTime,
    endTime,
    attributes: known(attributes),
    tags,
    ...(trace.error !== undefined && { exception: exceptionOf(trace.error) }),
  };
}

function safeTags(trace: TraceData): [string, string][] {
  const tags = new Map<string, string>();
  for (const [name, value] of trace.tags) {
    if (tags.size === traceLimits.tags) break;
    // Checked as the names of params are, whose letters are those of ASCII.
    tags.set(freeKey(key(name, true), tags), cut(text(value), traceLimits.tagValue));
  }
  return [...tags];
}

function exceptionOf({ type, message, stacktrace }: NonNullable<TraceData['error']>) {
  const { error } = traceLimits;
  return known({
    'exception.type': cut(text(type), error.type),
    'exception.message': within(message, error.message),
    'exception.stacktrace': within(stacktrace, error.stacktrace),
  });
}

function within(value: string | undefined, most: number): string | undefined {
  return value === undefined ? undefined : cut(text(value), most) || undefined;
}

function known(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries = Object.entries(values);
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function numbers(
  values: Readonly<Record<string, number>>,
  safe: (value: number) => number,
): [string, number][] {
  return Object.entries(values)
    .filter(([, value]) => Number.isFinite(value))
    .map(([name, value]) => [name, safe(value)]);
}

function json(entries: [string, number][]): string {
  return JSON.stringify(Object.fromEntries(entries));
}

/**
 * JSON whose texts hold neither NUL nor half a character. Such characters stand in it as escapes, since
 * that is how they are written; an escaped backslash before a `u` is none.
 */
export function safeJson(value: string): string {
  if (!/\\u(0000|d)/i.test(value)) return text(value);
  return text(value).replace(
    /\\(?:u0000|ud[89ab][\da-f]{2}\\ud[c-f][\da-f]{2}|ud[89a-f][\da-f]{2}|.)/gis,
    (found) => {
      if (/^\\u0000$/.test(found)) return '';
      return /^\\ud[89a-f]..$/i.test(found) ? '\\ufffd' : found;
    },
  );
}

/** Lower-case hex of this length; zeros, which mean no id, become one. */
function id(value: string, length: number): string {
  const digits = value
    .toLowerCase()
    .replace(/[^\da-f]/g, '')
    .slice(0, length)
    .padStart(length, '0');
  return /^0+$/.test(digits) ? digits.replace(/0$/, '1') : digits;
}

/** The last second that 64 bits of nanoseconds have, and MLflow's databases. */
const lastSecond = 9_223_372_035;

function nanoTime(ms: number): NanoTime {
  const safe = Number.isFinite(ms) ? Math.min(Math.max(ms, 0), lastSecond * 1_000) : 0;
  const micros = Math.round(safe * 1_000);
  const seconds = Math.floor(micros / 1_000_000);
  return [seconds, (micros - seconds * 1_000_000) * 1_000];
}
