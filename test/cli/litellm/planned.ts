import { planConfig } from '../../../src/cli/litellm/plan.ts';
import { type Settings, settingsSchema } from '../../../src/settings/schema.ts';

/** A configuration with nothing wrong in it, but for what a test changes. */
export function config({
  callback = {},
  settings = {},
  ...more
}: Record<string, object> = {}): string {
  return JSON.stringify({
    model_list: [
      { model_name: 'gpt', litellm_params: { model: 'openai/gpt-6-luna' } },
      { model_name: 'claude', litellm_params: { model: 'anthropic/claude-haiku-5-5' } },
      { model_name: 'on-bedrock', litellm_params: { model: 'bedrock/anthropic.claude-haiku-5-5' } },
    ],
    litellm_settings: {
      callbacks: ['sidecar'],
      request_correlation_in_logs: true,
      ...settings,
    },
    callback_settings: {
      sidecar: {
        callback_type: 'generic_api',
        endpoint: 'http://127.0.0.1:4100/v1/events',
        headers: { Authorization: 'os.environ/TOKEN' },
        max_retries: 5,
        retry_delay: 1,
        timeout: 10,
        ...callback,
      },
    },
    ...more,
  });
}

/** The settings, with these of LiteLLM and of the server. */
export function settingsWith(litellm: object = {}, server: object = {}): Settings {
  return settingsSchema.parse({ litellm, server });
}

/** What is mended in a configuration and what is left, by code and path. */
export function findings(text: string, settings = settingsWith()) {
  const { mended, left } = planConfig(text, settings);
  const codes = (of: typeof left) => of.map(({ code, path }) => `${code} ${path}`);
  return { mended: codes(mended), left: codes(left) };
}

/** Where the callback's block is. */
export const block = 'callback_settings.sidecar';
