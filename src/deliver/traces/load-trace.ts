import type { TracedCall } from '../../journal/detail.ts';
import { planTrace } from '../../record/trace/plan-trace.ts';
import type { TracePlan } from '../../record/trace/trace-plan.ts';
import type { TraceDeliveryParts } from './trace-parts.ts';

/** A call's trace, ready to be sent. */
export interface LoadedTrace {
  seq: number;
  plan: TracePlan;
  /** About how many bytes it takes of a request. */
  bytes: number;
}

/** All of a trace but what was said in it. */
const frame = 2_000;

/** Makes the trace of a call, with what its body has of inputs and outputs. */
export async function loadTrace(
  { journal, bodyRoom, untilKept }: TraceDeliveryParts,
  call: TracedCall,
): Promise<LoadedTrace> {
  const { seq, record, bodyBytes, runId } = call;
  const hasBody = bodyBytes > 0 && record.body !== 'dropped';
  const plan = hasBody
    ? await bodyRoom.within(bodyBytes, async (place) =>
        planTrace(record, await untilKept(() => journal.body(seq, place)), runId),
      )
    : planTrace(record, undefined, runId);
  const said = (plan.inputs?.length ?? 0) + (plan.outputs?.length ?? 0);
  return { seq, plan, bytes: frame + said + (plan.error?.stacktrace?.length ?? 0) };
}
