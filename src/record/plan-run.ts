import type { CallRecord } from '../call/call-record.ts';
import { metricsOf } from './metrics.ts';
import { paramsOf } from './params.ts';
import { runNameOf } from './run-name.ts';
import type { RunPlan } from './run-plan.ts';
import { tagsOf } from './tags.ts';

/** What a call becomes as a run of its own. */
export function planRun(call: CallRecord): RunPlan {
  return {
    name: runNameOf(call),
    startTime: Math.round(call.times.start),
    endTime: Math.round(call.times.end),
    status: call.status === 'failure' ? 'FAILED' : 'FINISHED',
    tags: tagsOf(call),
    params: paramsOf(call),
    metrics: metricsOf(call),
    ...(call.error?.traceback !== undefined && { traceback: call.error.traceback }),
  };
}
