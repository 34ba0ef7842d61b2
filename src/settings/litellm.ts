import { z } from 'zod';
import { duration, oneOf, text, wholeNumber } from './units.ts';

/**
 * What LiteLLM's response cache takes answers of, by LiteLLM's own names (its
 * `CachingSupportedCallTypes`, of which a proxy only ever makes the asynchronous ones).
 */
const callTypes = [
  'acompletion',
  'atext_completion',
  'aembedding',
  'aresponses',
  'anthropic_messages',
  'atranscription',
  'arerank',
] as const;

const somePoints = 'a list of points, such as {location: message, role: system}';

/** Where a mark goes: LiteLLM's `CacheControlInjectionPoint`. */
const point = z
  .strictObject({
    location: oneOf(['message', 'tool_config']),
    role: oneOf(['system', 'user', 'assistant']).optional(),
    index: z.int('a whole number; -1 is the last message').optional(),
  })
  .refine(
    ({ location, role, index }) =>
      location === 'tool_config' || role !== undefined || index !== undefined,
    'a point with a role or an index, or location: tool_config',
  );

/** What `litellm configure` puts into LiteLLM's own configuration, beside the callback. */
export const litellmSchema = z
  .strictObject({
    cache: oneOf(['keep', 'on', 'off'])
      .default('keep')
      .describe(
        'Whether LiteLLM answers what was asked before from its cache. keep: as its own configuration has it.',
      ),
    cacheBackend: oneOf(['local', 'disk', 'redis', 's3', 'gcs'])
      .default('local')
      .describe(
        'Where its answers are: local (in each worker), disk, redis (LiteLLM reads REDIS_HOST, REDIS_PORT and REDIS_PASSWORD), s3 or gcs.',
      ),
    cacheTtl: duration('1s', '365d').prefault('10m').describe('How long an answer is good.'),
    cacheCallTypes: z
      .array(oneOf(callTypes), 'a list of call types')
      .min(1, 'a list of one call type at least')
      .prefault(['acompletion', 'atext_completion', 'aembedding', 'aresponses'])
      .describe(
        'Which calls it answers: acompletion, atext_completion, aembedding, aresponses, anthropic_messages, atranscription, arerank.',
      ),
    cacheNamespace: text('a text')
      .optional()
      .describe('What its keys begin with, where several proxies share a backend.'),
    cacheParams: z
      .record(
        z.string(),
        z.union([z.string(), z.number(), z.boolean()], 'a text, a number, true or false'),
        'a mapping of cache_params',
      )
      .default({})
      .describe(
        "More of LiteLLM's cache_params by their own names, such as {s3_bucket_name: my-bucket} or {max_messages: 20} (longer conversations are not cached; LiteLLM's default is 4).",
      ),
    promptCache: oneOf(['keep', 'on', 'off'])
      .default('keep')
      .describe(
        'Whether LiteLLM marks the parts of prompts that providers may cache. keep: as its own configuration has it.',
      ),
    promptCachePoints: z
      .array(point, somePoints)
      .min(1, somePoints)
      .prefault([{ location: 'message', role: 'system' }])
      .describe(
        'Where the marks go: cache_control_injection_points, such as {location: message, role: system}, {location: message, index: -1} or {location: tool_config}.',
      ),
    promptCacheModels: z
      .array(text('a text'), 'a list of texts')
      .default([])
      .describe('For which models, by their model_name. Empty: all Claude models.'),
    promptCacheMinTokens: wholeNumber(1, 1_000_000)
      .optional()
      .describe(
        "The least prompt that is worth it, in tokens: prompt_cache_min_tokens. Unset: LiteLLM's table of models, else 1024.",
      ),
  })
  .prefault({});
