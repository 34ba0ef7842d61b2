import type { TokenCounts } from './call-record.ts';
import { countIn, type Fields, given, objectIn } from './fields.ts';

/**
 * Token counts, for the OpenAI shape (`prompt_tokens_details.cached_tokens`) and the Anthropic one
 * (`cache_read_input_tokens`, whose prompt tokens LiteLLM has already made to include the cached).
 *
 * LiteLLM writes zeros at the top level when it knows nothing; `metadata.usage_object` is empty
 * then. So a top-level zero counts only where the usage object says the same.
 */
export function tokensOf(payload: Fields): TokenCounts {
  const usage = objectIn(objectIn(payload['metadata'])['usage_object']);
  const prompt = objectIn(usage['prompt_tokens_details']);
  const completion = objectIn(usage['completion_tokens_details']);
  return given({
    prompt: known(payload['prompt_tokens'], usage['prompt_tokens']),
    completion: known(payload['completion_tokens'], usage['completion_tokens']),
    total: known(payload['total_tokens'], usage['total_tokens']),
    cacheRead: countIn(usage['cache_read_input_tokens']) ?? countIn(prompt['cached_tokens']),
    cacheCreation:
      countIn(usage['cache_creation_input_tokens']) ??
      countIn(prompt['cache_creation_tokens']) ??
      countIn(prompt['cache_write_tokens']),
    reasoning: countIn(completion['reasoning_tokens']),
  });
}

function known(top: unknown, fromUsage: unknown): number | undefined {
  const count = countIn(top);
  return count === undefined || count === 0 ? countIn(fromUsage) : count;
}
