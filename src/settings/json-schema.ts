import { z } from 'zod';
import { settingsSchema } from './schema.ts';

/** The JSON Schema of the settings file, for editors. */
export function settingsJsonSchema(): object {
  return {
    title: 'Settings of litellm-mlflow-sidecar',
    ...z.toJSONSchema(settingsSchema, { io: 'input', unrepresentable: 'any' }),
  };
}
