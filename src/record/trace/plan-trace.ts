import type { CallRecord } from '../../call/call-record.ts';
import { given } from '../../call/fields.ts';
import { tagsOf } from '../tags.ts';
import { traceContent } from './trace-content.ts';
import { traceIdsOf } from './trace-ids.ts';
import type { TracePlan } from './trace-plan.ts';

/**
 * What a call becomes as a trace.
 *
 * @param body The bytes of its `call.json`, where it has one; they may be overwritten afterwards.
 * @param runId Its run, where it has one.
 */
export function planTrace(call: CallRecord, body?: Uint8Array, runId?: string): TracePlan {
  const { caller, error } = call;
  const spanType = spanTypeOf(call.callType);
  const model = call.modelGroup ?? call.model;
  const content = body === undefined ? { isCut: false } : traceContent(body, model);
  const name = `${model ?? 'unknown model'} ${call.callType ?? 'call'}`;
  return {
    ...traceIdsOf(call.recordId),
    name,
    spanType,
    status: call.status === 'failure' ? 'ERROR' : 'OK',
    startTime: call.times.start,
    endTime: call.times.end,
    tokens: tokensOf(call),
    cost: costOf(call),
    tags: traceTags(call, content.isCut, runId),
    ...given({
      inputs: content.inputs,
      outputs: content.outputs,
      messageFormat: spanType === 'CHAT_MODEL' ? ('openai' as const) : undefined,
      model: call.model ?? call.modelGroup,
      provider: call.provider,
      session: call.sessionId ?? call.traceId,
      user: caller.userId ?? caller.keyAlias,
      error: error && {
        type: error.class ?? error.type,
        ...given({ message: error.message, stacktrace: error.traceback }),
      },
    }),
  };
}

/** By the name of LiteLLM's function, such as `acompletion` or `aembedding`. */
function spanTypeOf(callType = ''): TracePlan['spanType'] {
  if (callType.includes('embedding')) return 'EMBEDDING';
  const isChat = /(^a?completion|responses|anthropic_messages|generate_content)/.test(callType);
  return isChat ? 'CHAT_MODEL' : 'LLM';
}

function tokensOf({ tokens }: CallRecord): Record<string, number> {
  const { prompt, completion, total, cacheRead, cacheCreation } = tokens;
  const sum = prompt === undefined || completion === undefined ? undefined : prompt + completion;
  return given({
    input_tokens: prompt,
    output_tokens: completion,
    total_tokens: total ?? sum,
    cache_read_input_tokens: cacheRead,
    cache_creation_input_tokens: cacheCreation,
  });
}

/**
 * LiteLLM's cost. MLflow adds what it is told of input and output to sums of their own, so that both are
 * said, or neither.
 */
function costOf({ cost }: CallRecord): Record<string, number> {
  const { usd, inputUsd, outputUsd } = cost;
  if (usd === undefined) return {};
  if (usd === 0) return { input_cost: 0, output_cost: 0, total_cost: 0 };
  if (inputUsd === undefined || outputUsd === undefined) return { total_cost: usd };
  return { input_cost: inputUsd, output_cost: outputUsd, total_cost: usd };
}

/** Those of the call's run, without what only runs have. */
function traceTags(
  call: CallRecord,
  isCut: boolean,
  runId: string | undefined,
): Map<string, string> {
  const tags = [...tagsOf(call)].filter(([name]) => !name.startsWith('mlflow.'));
  if (runId !== undefined) tags.push(['run_id', runId]);
  if (isCut) tags.push(['sidecar.content', 'cut']);
  // MLflow shows a trace of unknown cost as one of no cost.
  if (call.status === 'success' && call.cost.usd === undefined)
    tags.push(['sidecar.cost', 'unknown']);
  return new Map(tags);
}
