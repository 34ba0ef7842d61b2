import type { CallRecord } from '../call/call-record.ts';
import { beginningOf } from '../call/fields.ts';
import { noteOf, noteTag } from './note.ts';
import { recordIdTag } from './run-plan.ts';

/** The most request tags that become `label.NAME`, and how much of an error's message is a tag. */
const mostLabels = 50;
const errorMessageLength = 500;

/**
 * A call's tags. What is not known has none.
 *
 * @param sampleRate With which probability it was chosen to have a run; absent where that was not by chance.
 */
export function tagsOf(call: CallRecord, sampleRate?: number): Map<string, string> {
  const { caller, error } = call;
  const values: Record<string, string | undefined> = {
    status: call.status,
    model: call.model,
    request_id: call.callId,
    response_id: call.responseId,
    litellm_trace_id: call.traceId,
    session_id: call.sessionId,
    call_type: call.callType,
    model_group: call.modelGroup,
    provider: call.provider,
    stream: String(call.stream),
    user_id: caller.userId,
    team_id: caller.teamId,
    team_alias: caller.teamAlias,
    org_id: caller.orgId,
    key_alias: caller.keyAlias,
    end_user: caller.endUser,
    cache_hit: String(call.cacheHit),
    request_tags: call.requestTags.length > 0 ? call.requestTags.join(',') : undefined,
    error_type: error?.type,
    error_class: error?.class,
    error_code: error?.code,
    error_message: error?.message && beginningOf(error.message, errorMessageLength),
    'mlflow.user': caller.userId ?? caller.keyAlias,
    'mlflow.source.name': 'litellm-mlflow-sidecar',
    'mlflow.source.type': 'LOCAL',
    [noteTag]: noteOf(call),
    'sidecar.record': 'call',
    [recordIdTag]: call.recordId,
    'sidecar.sample_rate': sampleRate === undefined ? undefined : String(sampleRate),
    'sidecar.body': call.body,
    'sidecar.time': call.times.source === 'received' ? 'received' : undefined,
  };
  const labels = call.requestTags
    .slice(0, mostLabels)
    .map((tag): [string, string] => [`label.${tag}`, 'true']);
  const known = Object.entries(values).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return new Map([...known, ...labels]);
}
