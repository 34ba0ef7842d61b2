import { createHash } from 'node:crypto';
import { listOf, recordOf } from '../../support/upstream-request.ts';

/** A call as LiteLLM posted it: the source of what neither client nor upstream can know. */
export type PostedEvent = Readonly<Record<string, unknown>>;

/** The events of a body. What a JavaScript number cannot hold becomes text, as call.json has it. */
export function eventsIn(body: Buffer): PostedEvent[] {
  const text = body.toString('utf8').replace(/: (NaN|-?Infinity|\d{16,}(?=[,}\]]))/g, ': "$1"');
  const events: unknown = JSON.parse(text);
  return listOf(events).map(recordOf);
}

/** Seconds of LiteLLM's clock in milliseconds; its microseconds are the last digits that say something. */
export function milliseconds(event: PostedEvent, from: string, to: string): number {
  const [start, end] = [Number(event[from]), Number(event[to])];
  return Math.round(end * 1e6 - start * 1e6) / 1000;
}

/** The identity of a call, as docs/architecture.md defines it. */
export function recordId(event: PostedEvent): string {
  const parts = ['status', 'litellm_call_id', 'id', 'startTime', 'endTime'];
  return createHash('sha256')
    .update(parts.map((name) => String(event[name] ?? '')).join('|'))
    .digest('hex');
}

/** LiteLLM's account of an error, without the traceback, and that. */
export function errorIn(event: PostedEvent): {
  readonly error: Readonly<Record<string, unknown>>;
  readonly traceback: string;
} {
  const { traceback, ...error } = recordOf(event['error_information']);
  return { error, traceback: String(traceback ?? '') };
}
