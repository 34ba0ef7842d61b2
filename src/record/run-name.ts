import type { CallRecord } from '../call/call-record.ts';

/** `MODEL_GROUP call_type HH:MM:SS`, the time being that of the start, in UTC. */
export function runNameOf(call: CallRecord): string {
  const model = call.modelGroup ?? call.model ?? 'unknown model';
  // Rounded as the run's own start is: LiteLLM's times have fractions.
  const time = new Date(Math.round(call.times.start)).toISOString().slice(11, 19);
  return `${model} ${call.callType ?? 'call'} ${time}`;
}
