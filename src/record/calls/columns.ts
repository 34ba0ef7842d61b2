import type { CallRecord } from '../../call/call-record.ts';
import { metricsOf } from '../metrics.ts';
import { traceIdsOf } from '../trace/trace-ids.ts';

/** A call as a chunk keeps it: its record, and what is known of it elsewhere. */
export interface CallEntry {
  record: CallRecord;
  /** Its run, where it has one. */
  runId?: string;
  /** With which probability it was chosen to have a run; absent where that was not by chance. */
  sampleRate?: number;
  /** It has a trace, or is to get one. */
  isTraced: boolean;
  previews?: Previews;
}

/** The beginnings of what was asked last and what was answered. */
export interface Previews {
  prompt?: string;
  answer?: string;
}

/** What stands in a column; `null` where it is not known. */
export type Cell = string | number | boolean | readonly string[] | null;

/**
 * The columns of the calls table, which are the fields of a line of the archive. What one looks for first
 * stands first: MLflow shows about seven of them at once.
 */
export const columns = [
  'time',
  'model_group',
  'team_alias',
  'user_id',
  'status',
  'latency_ms',
  'total_tokens',
  'cost_usd',
  'error_type',
  'model',
  'provider',
  'team_id',
  'key_alias',
  'org_id',
  'end_user',
  'error_class',
  'call_type',
  'stream',
  'time_to_first_token_ms',
  'prompt_tokens',
  'completion_tokens',
  'cache_read_input_tokens',
  'cache_creation_input_tokens',
  'reasoning_tokens',
  'input_cost_usd',
  'output_cost_usd',
  'saved_cost_usd',
  'cache_hit',
  'service_tier',
  'retries',
  'request_id',
  'response_id',
  'session_id',
  'litellm_trace_id',
  'run_id',
  'trace_id',
  'record_id',
  'sample_rate',
  'request_tags',
] as const;

/** Those that only a setting adds, since they quote what was asked and answered. */
export const previewColumns = ['prompt_preview', 'answer_preview'] as const;

export type ColumnName = (typeof columns)[number] | (typeof previewColumns)[number];

/** The names of all columns. */
export function columnNames(withPreviews: boolean): readonly ColumnName[] {
  return withPreviews ? [...columns, ...previewColumns] : columns;
}

/** What a call has in each column. The numbers are those of its run's metrics. */
export function cellsOf(entry: CallEntry): Record<ColumnName, Cell> {
  const { record, previews } = entry;
  const { caller, cost, error } = record;
  const metrics = metricsOf(record);
  const metric = (name: string) => metrics.get(name) ?? null;
  return {
    // Rounded as the run's own start is: LiteLLM's times have fractions of a millisecond.
    time: new Date(Math.round(record.times.start)).toISOString(),
    model_group: record.modelGroup ?? null,
    team_alias: caller.teamAlias ?? null,
    user_id: caller.userId ?? null,
    status: record.status,
    latency_ms: metric('latency_ms'),
    total_tokens: metric('total_tokens'),
    cost_usd: cost.usd ?? null,
    error_type: error?.type ?? null,
    model: record.model ?? null,
    provider: record.provider ?? null,
    team_id: caller.teamId ?? null,
    key_alias: caller.keyAlias ?? null,
    org_id: caller.orgId ?? null,
    end_user: caller.endUser ?? null,
    error_class: error?.class ?? null,
    call_type: record.callType ?? null,
    stream: record.stream,
    time_to_first_token_ms: metric('time_to_first_token_ms'),
    prompt_tokens: metric('prompt_tokens'),
    completion_tokens: metric('completion_tokens'),
    cache_read_input_tokens: metric('cache_read_input_tokens'),
    cache_creation_input_tokens: metric('cache_creation_input_tokens'),
    reasoning_tokens: metric('reasoning_tokens'),
    input_cost_usd: cost.inputUsd ?? null,
    output_cost_usd: cost.outputUsd ?? null,
    saved_cost_usd: cost.savedUsd ?? null,
    cache_hit: record.cacheHit,
    service_tier: record.serviceTier ?? null,
    retries: record.retries ?? null,
    request_id: record.callId ?? null,
    response_id: record.responseId ?? null,
    session_id: record.sessionId ?? null,
    litellm_trace_id: record.traceId ?? null,
    run_id: entry.runId ?? null,
    trace_id: entry.isTraced ? traceIdsOf(record.recordId).traceId : null,
    record_id: record.recordId,
    sample_rate: entry.sampleRate ?? null,
    request_tags: record.requestTags,
    prompt_preview: previews?.prompt ?? null,
    answer_preview: previews?.answer ?? null,
  };
}
