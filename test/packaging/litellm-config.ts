import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';

const litellmConfig = z.strictObject({
  model_list: z.array(
    z.strictObject({
      model_name: z.string(),
      litellm_params: z.strictObject({ model: z.string(), api_key: z.string() }),
    }),
  ),
  general_settings: z.strictObject({ master_key: z.string() }),
  litellm_settings: z.strictObject({
    callbacks: z.array(z.string()),
    request_correlation_in_logs: z.boolean(),
  }),
  callback_settings: z.record(
    z.string(),
    // LiteLLM reads these keys and no other; `event_types` is its seventh.
    z.strictObject({
      callback_type: z.string(),
      endpoint: z.string(),
      headers: z.record(z.string(), z.string()),
      log_format: z.string(),
      max_retries: z.number(),
      retry_delay: z.number(),
      timeout: z.number(),
    }),
  ),
});

export type LitellmConfig = z.infer<typeof litellmConfig>;

/** LiteLLM's configuration as it ships. Throws on a key that this project does not use. */
export async function readLitellmConfig(): Promise<LitellmConfig> {
  return litellmConfig.parse(parse(await readFile('config/litellm.yaml', 'utf8')));
}

/** The names of the variables that it takes from the environment, each once. */
export function variablesOf(config: LitellmConfig): string[] {
  const found = JSON.stringify(config).matchAll(/os\.environ\/(\w+)/g);
  return [...new Set([...found].map(([, name = '']) => name))];
}
