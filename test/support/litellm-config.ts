import { randomBytes } from 'node:crypto';

/**
 * The configuration of the test proxy: the callback as config/litellm.yaml has it, models behind the
 * fake model server, custom auth instead of a database, answers cached in memory.
 */
export function litellmConfig(upstreamUrl: string, eventsUrl: string): object {
  const openai = (name: string, model: string, more: object = {}) => ({
    model_name: name,
    litellm_params: {
      model: `openai/${model}`,
      api_base: `${upstreamUrl}/v1`,
      api_key: 'sk-fake',
      ...more,
    },
  });
  const wishing = (wish: string) => ({ extra_headers: { 'x-fake': wish } });
  return {
    model_list: [
      openai('gpt-4o-mini', 'gpt-4o-mini'),
      openai('gpt-4o', 'gpt-4o'),
      openai('o3-mini', 'o3-mini', wishing('fake:reasoning=120')),
      openai('text-embedding-3-small', 'text-embedding-3-small'),
      // LiteLLM knows no price for it.
      openai('in-house', 'in-house-7b'),
      {
        model_name: 'claude',
        litellm_params: {
          model: 'anthropic/claude-sonnet-4-5-20250929',
          api_base: upstreamUrl,
          api_key: 'sk-fake',
        },
      },
      // Its answer takes longer than its own time-out.
      openai('slow', 'gpt-4o-mini', { timeout: 1, ...wishing('fake:delay=3000') }),
      // Fails for each prompt once; LiteLLM's own retry then succeeds.
      openai('flaky', 'gpt-4o-mini', wishing('fake:fail-once')),
      // Always fails, and has a fallback.
      openai('primary', 'gpt-4o', wishing('fake:unavailable')),
    ],
    general_settings: {
      // It does not start without one, nor with a weak one.
      master_key: `sk-${randomBytes(32).toString('hex')}`,
      custom_auth: 'litellm_auth.user_api_key_auth',
    },
    router_settings: {
      num_retries: 0,
      model_group_retry_policy: {
        flaky: { InternalServerErrorRetries: 1 },
      },
      fallbacks: [{ primary: ['gpt-4o-mini'] }],
      disable_cooldowns: true,
    },
    litellm_settings: {
      callbacks: ['sidecar'],
      request_correlation_in_logs: true,
      cache: true,
      cache_params: { type: 'local' },
      telemetry: false,
    },
    callback_settings: {
      sidecar: {
        callback_type: 'generic_api',
        endpoint: eventsUrl,
        headers: { Authorization: 'os.environ/SIDECAR_AUTH_TOKEN' },
        log_format: 'json_array',
        max_retries: 5,
        retry_delay: 1,
        timeout: 10,
      },
    },
  };
}
