import { isMapping, listAt, valueAt } from './edit.ts';

/** What the endpoint and the token are taken from: whole variables, which is all that LiteLLM replaces. */
export const eventsUrlVariable = 'os.environ/SIDECAR_EVENTS_URL';
export const tokenVariable = 'os.environ/SIDECAR_AUTH_TOKEN';

/** Whether a text is nothing but such a variable. */
export function isVariable(text: string): boolean {
  return /^os\.environ\/\w+$/.test(text);
}

/** The path at which the sidecar takes posts. */
export const eventsPath = '/v1/events';

/** The section of the lists that switch callbacks on: for all calls, for successes, for failures. */
export const listSection = 'litellm_settings';
export const callbackLists = {
  all: [listSection, 'callbacks'],
  ofSuccess: [listSection, 'success_callback'],
  ofFailure: [listSection, 'failure_callback'],
} as const;

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

/** Whether a callback is in any of the lists. */
export function isOn(config: unknown, name: string): boolean {
  return Object.values(callbackLists).some((path) => listAt(config, path).includes(name));
}

/**
 * The callbacks that post to the sidecar, by their name or by where they post to. The one to work on
 * comes first: rather one that is on than one that is off, and then rather the one named `sidecar`.
 */
export function sidecarCallbacks(config: unknown): [Callback, ...Callback[]] {
  const blocks = valueAt(config, ['callback_settings']);
  const found: Callback[] = Object.entries(isMapping(blocks) ? blocks : {})
    .filter(([name, block]) => isMapping(block) && (name === 'sidecar' || isOurs(block)))
    .map(([name, block]) => ({ name, block: isMapping(block) ? block : {} }));
  const isThere = found.some(({ name }) => name === 'sidecar');
  if (!isThere && isOn(config, 'sidecar')) found.push({ name: 'sidecar', block: undefined });
  const rank = ({ name, block }: Callback) =>
    (isOn(config, name) ? 4 : 0) + (block === undefined ? 0 : 2) + (name === 'sidecar' ? 1 : 0);
  const [first, ...others] = found.toSorted((one, other) => rank(other) - rank(one));
  return first === undefined ? [{ name: 'sidecar', block: undefined }] : [first, ...others];
}

/**
 * Whether a block posts to the sidecar. By its path alone an endpoint does, unless it has something
 * before that path, or is a public service with a key of its own: HTTPS, no port, and `Authorization`.
 */
function isOurs({ endpoint, headers }: Readonly<Record<string, unknown>>): boolean {
  if (typeof endpoint !== 'string') return false;
  const url = endpoint.replace(/\/+$/, '');
  if (url.includes('SIDECAR_EVENTS_URL')) return true;
  if (!url.endsWith(eventsPath)) return false;
  const [, key] =
    Object.entries(isMapping(headers) ? headers : {}).find(
      ([name]) => name.toLowerCase() === 'authorization',
    ) ?? [];
  if (/sidecar/i.test(`${url} ${key}`)) return true;
  const host = url.slice(0, -eventsPath.length).replace('os.environ/', '');
  const isPublic = /^https:\/\/[^:]+$/.test(host);
  return /^https?:\/\/[^/]+$/.test(host) && !(isPublic && key !== undefined);
}
