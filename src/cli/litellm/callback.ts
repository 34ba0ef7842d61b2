import { isMapping, valueAt } from './edit.ts';

/** What the endpoint and the token are taken from: whole variables, which is all that LiteLLM replaces. */
export const eventsUrlVariable = 'os.environ/SIDECAR_EVENTS_URL';
export const tokenVariable = 'os.environ/SIDECAR_AUTH_TOKEN';

/** The path at which the sidecar takes posts. */
export const eventsPath = '/v1/events';

/** The callback's block, as `config/litellm.yaml` has it. */
export const callbackBlock = {
  callback_type: 'generic_api',
  endpoint: eventsUrlVariable,
  headers: { Authorization: tokenVariable },
  log_format: 'json_array',
  max_retries: 5,
  retry_delay: 1,
  timeout: 10,
} as const;

/**
 * All that LiteLLM 1.108.7 reads of such a block (`logging_callback_manager.py`); anything else is
 * ignored without a word.
 */
export const readKeys: ReadonlySet<string> = new Set([
  ...Object.keys(callbackBlock),
  'event_types',
]);

/** A callback's block of `callback_settings`, and the name that switches it on. */
export interface Callback {
  name: string;
  /** Absent where there is none yet. */
  block: Readonly<Record<string, unknown>> | undefined;
}

/** The callbacks that post to the sidecar, by where they post to; the one to work on comes first. */
export function sidecarCallbacks(config: unknown): [Callback, ...Callback[]] {
  const blocks = valueAt(config, ['callback_settings']);
  const found = Object.entries(isMapping(blocks) ? blocks : {})
    .filter(([name, block]) => isMapping(block) && (name === 'sidecar' || isOurs(block)))
    .map(([name, block]) => ({ name, block: isMapping(block) ? block : {} }));
  const [first, ...others] = found;
  return first === undefined ? [{ name: 'sidecar', block: undefined }] : [first, ...others];
}

function isOurs({ endpoint }: Readonly<Record<string, unknown>>): boolean {
  return (
    typeof endpoint === 'string' &&
    (endpoint.includes('SIDECAR_EVENTS_URL') || endpoint.replace(/\/+$/, '').endsWith(eventsPath))
  );
}
