import type { ErrorType } from './error-type.ts';

/**
 * One attempt of LiteLLM to serve a request, as far as it is known.
 *
 * Everything that LiteLLM did not say is absent: an absent number is never a zero. All strings are
 * well-formed Unicode without NUL, all numbers finite. It is what the journal keeps and what every
 * record in MLflow is made from.
 */
export interface CallRecord {
  /** Lower-case hex SHA-256 of LiteLLM's own identity of the attempt; see `identity.ts`. */
  recordId: string;
  status: 'success' | 'failure';
  /** `litellm_call_id`: one client request; its retries and fallbacks share it. */
  callId?: string;
  /** `id`: the provider's response id, or LiteLLM's call id where there is none. */
  responseId?: string;
  traceId?: string;
  sessionId?: string;
  callType?: string;
  /** `provider/model` as LiteLLM routed it; absent when the request failed before it was known. */
  model?: string;
  /** The public name that the client asked for. */
  modelGroup?: string;
  provider?: string;
  /** The provider's class of service that the call was served by, such as `default` or `priority`. */
  serviceTier?: string;
  apiBase?: string;
  stream: boolean;
  cacheHit: boolean;
  times: CallTimes;
  tokens: TokenCounts;
  cost: CallCost;
  caller: Caller;
  /** Tags that clients and operators gave, without LiteLLM's own `User-Agent:` ones. */
  requestTags: string[];
  /** LiteLLM's `model_parameters` as text; see `parameters.ts`. */
  parameters: Record<string, string>;
  retries?: number;
  /** What LiteLLM added to the provider's own time, in milliseconds. */
  overheadMs?: number;
  error?: CallError;
  /**
   * What became of `call.json`, where it is not the call's own: left out as the settings want it,
   * hashes alone, or given up because the external redactor failed.
   */
  body?: 'dropped' | 'hashed' | 'unvetted';
}

/** Unix times in milliseconds, with LiteLLM's microseconds as fractions. */
export interface CallTimes {
  start: number;
  end: number;
  /** Streams only: when the first token came. */
  firstToken?: number;
  /** `received`: LiteLLM's own times were unusable, and both are the moment of the POST. */
  source: 'call' | 'received';
}

export interface TokenCounts {
  prompt?: number;
  completion?: number;
  total?: number;
  cacheRead?: number;
  cacheCreation?: number;
  reasoning?: number;
}

/** US dollars, as LiteLLM estimates them. */
export interface CallCost {
  /** Absent for a model without a price; 0 for an answer from the cache. */
  usd?: number;
  /** Of that, what was asked, cached tokens included, and what was answered. */
  inputUsd?: number;
  outputUsd?: number;
  /** What the cache saved; absent when LiteLLM reports none. */
  savedUsd?: number;
}

export interface Caller {
  userId?: string;
  teamId?: string;
  teamAlias?: string;
  orgId?: string;
  keyAlias?: string;
  endUser?: string;
}

export interface CallError {
  type: ErrorType;
  class?: string;
  code?: string;
  /** The first 2000 characters. It may quote the client's input: for MLflow only, never for a log. */
  message?: string;
  /** The first 64 KiB. */
  traceback?: string;
}
