import type { Entries } from './serialize.ts';

/** A trace of one span, as plain values; `traces-serialize.ts` brings them within limits. */
export interface TraceData {
  /** 32 and 16 hex digits. MLflow knows the trace as `tr-` and the former. */
  traceId: string;
  spanId: string;
  name: string;
  spanType: string;
  status: 'OK' | 'ERROR';
  /** Unix milliseconds, with fractions. */
  startTime: number;
  endTime: number;
  /** JSON. */
  inputs?: string;
  outputs?: string;
  messageFormat?: string;
  tokens: Readonly<Record<string, number>>;
  /** Empty where it is not known. */
  cost: Readonly<Record<string, number>>;
  model?: string;
  provider?: string;
  session?: string;
  user?: string;
  tags: Entries;
  error?: { type: string; message?: string; stacktrace?: string };
}
