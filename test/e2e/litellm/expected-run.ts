import { keys } from '../../support/litellm-keys.ts';
import type { MadeCall } from './made-call.ts';
import { milliseconds, type PostedEvent, recordId } from './posted-event.ts';

/** What a test knows of a run beyond what follows from its call. */
export interface RunFacts {
  readonly status: 'success' | 'failure';
  /** The name that the run's begins with, where it is not the model group. */
  readonly name?: string;
  readonly callType: string;
  readonly stream?: boolean;
  readonly model?: string;
  readonly group?: string;
  readonly provider?: string;
  /** The whole URL. */
  readonly apiBase?: string;
  /** LiteLLM's `model_parameters`. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** What LiteLLM logs as asked, where it is not what the client asked. */
  readonly messages?: unknown;
  readonly responseId: string;
  readonly cacheHit?: boolean;
  /** Whether a first token came. */
  readonly firstToken?: boolean;
  /** All metrics but times and flags. */
  readonly metrics: Readonly<Record<string, number>>;
  /** More tags than every call has. */
  readonly tags?: Readonly<Record<string, string>>;
}

export interface ExpectedRun {
  readonly runName: string;
  readonly status: string;
  readonly startTime: number;
  readonly endTime: number;
  readonly metrics: Record<string, number>;
  readonly params: Record<string, string>;
  /** All but the note. */
  readonly tags: Record<string, string>;
}

/** The run that a call is to become, by the design's table; to the letter, and nothing beside. */
export function expectedRun(call: MadeCall, event: PostedEvent, facts: RunFacts): ExpectedRun {
  const { stream = false, cacheHit = false } = facts;
  const startTime = Math.round(Number(event['startTime']) * 1000);
  const time = new Date(startTime).toISOString().slice(11, 19);
  const runName = `${facts.name ?? facts.group} ${facts.callType} ${time}`;
  const latency = milliseconds(event, 'startTime', 'endTime');
  const tokens = facts.metrics['completion_tokens'] ?? 0;
  const owner = keys[call.key];
  return {
    runName,
    status: facts.status === 'success' ? 'FINISHED' : 'FAILED',
    startTime,
    endTime: Math.round(Number(event['endTime']) * 1000),
    metrics: {
      ...facts.metrics,
      latency_ms: latency,
      ...(facts.firstToken === true && {
        time_to_first_token_ms: milliseconds(event, 'startTime', 'completionStartTime'),
      }),
      ...(tokens > 0 && !cacheHit && { output_tokens_per_second: tokens / (latency / 1000) }),
      cache_hit: cacheHit ? 1 : 0,
      error: facts.status === 'failure' ? 1 : 0,
    },
    params: {
      ...given({ model: facts.model, api_base: facts.apiBase }),
      ...Object.fromEntries(
        Object.entries(facts.parameters).map(([name, value]) => [
          name,
          typeof value === 'string' ? value : JSON.stringify(value),
        ]),
      ),
    },
    tags: {
      status: facts.status,
      request_id: call.callId,
      response_id: facts.responseId,
      litellm_trace_id: String(event['trace_id']),
      call_type: facts.callType,
      stream: String(stream),
      cache_hit: String(cacheHit),
      ...given({ model: facts.model, model_group: facts.group, provider: facts.provider }),
      ...(owner !== undefined && {
        user_id: owner.user_id,
        team_id: owner.team_id,
        team_alias: owner.team_alias,
        org_id: owner.org_id,
        key_alias: owner.key_alias,
        'mlflow.user': owner.user_id,
      }),
      'mlflow.runName': runName,
      'mlflow.source.name': 'litellm-mlflow-sidecar',
      'mlflow.source.type': 'LOCAL',
      'sidecar.record': 'call',
      'sidecar.record_id': recordId(event),
      'sidecar.sample_rate': '1',
      ...facts.tags,
    },
  };
}

function given(values: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
