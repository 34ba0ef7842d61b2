import {
  type Callback,
  callbackBlock,
  eventsPath,
  eventsUrlVariable,
  isVariable,
  readKeys,
} from './callback.ts';
import { findInHeaders, isPartial, shown } from './find-headers.ts';
import { byHand, type Finding, mendable } from './finding.ts';

/** LiteLLM's workers give a callback up after 20 s, whatever its own time-out is. */
const workerSeconds = 20;

/** What is wrong with the block of a callback. */
export function findInBlock({ name, block }: Callback, hasToken: boolean): Finding[] {
  const path = ['callback_settings', name];
  const at = path.join('.');
  if (block === undefined) {
    return [
      mendable(
        'callback_missing',
        at,
        'LiteLLM does not know the sidecar: no call is posted to it.',
        { kind: 'set', path, value: callbackBlock },
      ),
    ];
  }
  const set = (member: string, value: unknown) =>
    ({ kind: 'set', path: [...path, member], value }) as const;
  const found: Finding[] = [];
  if (block['callback_type'] !== 'generic_api') {
    found.push(
      mendable(
        'callback_type',
        `${at}.callback_type`,
        'it is not generic_api: LiteLLM takes the name for a Python module and does not start.',
        set('callback_type', 'generic_api'),
      ),
    );
  }
  found.push(...findInEndpoint(at, block['endpoint'], set('endpoint', eventsUrlVariable)));
  found.push(...findInHeaders(path, block['headers'], hasToken));
  found.push(...findInRetries(at, block, set));
  for (const key of Object.keys(block)) {
    if (readKeys.has(key)) continue;
    found.push(
      byHand(
        'fault',
        'ignored_setting',
        `${at}.${key}`,
        'LiteLLM ignores it in this block, without a word.',
        ignoredAdvice[key] ?? 'Take it out; LiteLLM reads no such setting of this callback.',
      ),
    );
  }
  found.push(...findInFormat(at, block, set));
  return found;
}

const batchAdvice =
  "Take it out, and set DEFAULT_BATCH_SIZE or DEFAULT_FLUSH_INTERVAL_SECONDS in the environment of LiteLLM's process.";

const ignoredAdvice: Readonly<Record<string, string>> = {
  batch_size: batchAdvice,
  flush_interval: batchAdvice,
  max_queue_size: batchAdvice,
  turn_off_message_logging:
    'Prompts and answers ARE posted. Set redact.bodies in config/sidecar.yaml, or litellm_settings.turn_off_message_logging for all callbacks.',
};

function findInEndpoint(at: string, endpoint: unknown, mend: Finding['edits'][number]): Finding[] {
  const path = `${at}.endpoint`;
  if (typeof endpoint !== 'string' || endpoint === '') {
    return [mendable('endpoint_missing', path, 'without it LiteLLM does not start.', mend)];
  }
  if (isPartial(endpoint)) {
    return [
      mendable(
        'endpoint_literal',
        path,
        `os.environ/NAME is replaced only where it is the whole value: "${shown(endpoint)}" is used as it stands.`,
        mend,
      ),
    ];
  }
  const isWrong = /^https?:/.test(endpoint) && !endpoint.replace(/\/$/, '').endsWith(eventsPath);
  return isWrong
    ? [
        byHand(
          'fault',
          'endpoint_path',
          path,
          `LiteLLM adds no path, and the sidecar takes posts at ${eventsPath}.`,
          `End it with ${eventsPath}.`,
        ),
      ]
    : [];
}

type SetMember = (member: string, value: unknown) => Finding['edits'][number];

function findInRetries(
  at: string,
  block: Readonly<Record<string, unknown>>,
  set: SetMember,
): Finding[] {
  const found: Finding[] = [];
  const number = (name: string) => Number(block[name] ?? Number.NaN);
  if (!(number('max_retries') >= 1)) {
    found.push(
      mendable(
        'no_retries',
        `${at}.max_retries`,
        'without it LiteLLM posts a batch once, and drops it when that fails.',
        set('max_retries', callbackBlock.max_retries),
      ),
    );
  }
  if (!(number('retry_delay') > 0)) {
    found.push(
      mendable(
        'no_retry_delay',
        `${at}.retry_delay`,
        'without it all retries come at once, and are over before anything has changed.',
        set('retry_delay', callbackBlock.retry_delay),
      ),
    );
  }
  if (block['timeout'] === undefined || block['timeout'] === null) {
    found.push(
      mendable(
        'no_timeout',
        `${at}.timeout`,
        'without it a post may take 600 s, during which every other callback of LiteLLM waits.',
        set('timeout', callbackBlock.timeout),
      ),
    );
  } else if (number('timeout') >= workerSeconds) {
    found.push(
      byHand(
        'fault',
        'long_timeout',
        `${at}.timeout`,
        `LiteLLM's workers give a callback up after ${workerSeconds} s, and its batch with it, before a retry.`,
        `Set it to ${callbackBlock.timeout}.`,
      ),
    );
  }
  return found;
}

/** All that LiteLLM 1.108.7 takes (`generic_api_callback.py`). */
const formats: readonly unknown[] = ['json_array', 'ndjson', 'single'];

function findInFormat(
  at: string,
  block: Readonly<Record<string, unknown>>,
  set: SetMember,
): Finding[] {
  const { log_format: format, event_types: types } = block;
  const found: Finding[] = [];
  const isElsewhere = typeof format === 'string' && isVariable(format);
  if (format !== undefined && format !== null && !isElsewhere && !formats.includes(format)) {
    found.push(
      mendable(
        'log_format',
        `${at}.log_format`,
        `it is none of ${formats.join(', ')}: LiteLLM does not start.`,
        set('log_format', callbackBlock.log_format),
      ),
    );
  }
  if (format === 'single') {
    found.push(
      byHand(
        'hint',
        'single_format',
        `${at}.log_format`,
        'each call is a post of its own, all of them at the same time.',
        'Set it to json_array.',
      ),
    );
  }
  const isLacking = (type: string) => Array.isArray(types) && !types.includes(type);
  for (const [type, what] of [
    ['llm_api_success', 'calls that succeed'],
    ['llm_api_failure', 'calls that fail'],
  ] as const) {
    if (!isLacking(type)) continue;
    found.push(
      byHand(
        'hint',
        'event_types',
        `${at}.event_types`,
        `${what} are not posted: no count, rate or cost that the sidecar records has them.`,
        `Add ${type}, or take event_types out.`,
      ),
    );
  }
  return found;
}
