import type { CallRecord } from '../call/call-record.ts';
import { metricsOf } from './metrics.ts';
import { paramsOf } from './params.ts';
import { runNameOf } from './run-name.ts';
import type { RunPlan } from './run-plan.ts';
import { tagsOf } from './tags.ts';

/**
 * What a call becomes as a run of its own.
 *
 * @param again When a second run of it was asked for, in Unix milliseconds. Its record id is another,
 *   so that neither run is taken for the other; a tag tells of which call it is.
 * @param sampleRate With which probability it was chosen to have a run; absent where that was not by chance.
 */
export function planRun(call: CallRecord, again?: number, sampleRate?: number): RunPlan {
  const recordId = again === undefined ? call.recordId : `${call.recordId}-${again}`;
  const tags = tagsOf({ ...call, recordId }, sampleRate);
  if (again !== undefined) tags.set('sidecar.replay_of', call.recordId);
  return {
    recordId,
    name: runNameOf(call),
    startTime: Math.round(call.times.start),
    endTime: Math.round(call.times.end),
    status: call.status === 'failure' ? 'FAILED' : 'FINISHED',
    tags,
    params: paramsOf(call),
    metrics: metricsOf(call),
    ...(call.error?.traceback !== undefined && { traceback: call.error.traceback }),
  };
}
