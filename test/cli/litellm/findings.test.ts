import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planConfig } from '../../../src/cli/litellm/plan.ts';
import { block, config, findings, settingsWith } from './planned.ts';

const mendable: readonly (readonly [what: string, text: string, finding: string])[] = [
  ['a missing block', config({ callback_settings: {} }), `callback_missing ${block}`],
  [
    'another type',
    config({ callback: { callback_type: 'x' } }),
    `callback_type ${block}.callback_type`,
  ],
  [
    'a host within a URL',
    config({ callback: { endpoint: 'http://os.environ/HOST:4100/v1/events' } }),
    `endpoint_literal ${block}.endpoint`,
  ],
  [
    'missing headers',
    config({ callback: { headers: null } as object }),
    `headers_missing ${block}.headers`,
  ],
  [
    'a token behind Bearer',
    config({ callback: { headers: { authorization: 'Bearer os.environ/TOKEN' } } }),
    `header_literal ${block}.headers.authorization`,
  ],
  ['another format', config({ callback: { log_format: 'xml' } }), `log_format ${block}.log_format`],
  ['no retries', config({ callback: { max_retries: 0 } }), `no_retries ${block}.max_retries`],
  [
    'retries at once',
    config({ callback: { retry_delay: 0 } }),
    `no_retry_delay ${block}.retry_delay`,
  ],
  ['no time-out', config({ callback: { timeout: null } as object }), `no_timeout ${block}.timeout`],
  [
    'no list',
    config({ settings: { callbacks: ['otel'] } }),
    'not_posted litellm_settings.callbacks',
  ],
  [
    'successes alone',
    config({ settings: { callbacks: [], success_callback: ['sidecar'] } }),
    'not_posted litellm_settings.callbacks',
  ],
  [
    'a list of nothing',
    config({ settings: { failure_callback: null } as object }),
    'no_list litellm_settings.failure_callback',
  ],
  [
    'a text in the place of a list',
    config({ settings: { success_callback: 'langfuse' } }),
    'no_list litellm_settings.success_callback',
  ],
  [
    'the same list twice',
    config({ settings: { callbacks: ['sidecar', 'otel', 'sidecar'] } }),
    'callback_twice litellm_settings.callbacks',
  ],
  [
    'two lists',
    config({ settings: { failure_callback: ['sidecar'] } }),
    'callback_twice litellm_settings.failure_callback',
  ],
  [
    'no correlation ids',
    config({ settings: { request_correlation_in_logs: false } }),
    'no_correlation litellm_settings.request_correlation_in_logs',
  ],
];

for (const [what, text, finding] of mendable) {
  test(`${what} is found and mended`, () => {
    const found = findings(text);
    assert.ok(found.mended.includes(finding), JSON.stringify(found));
    assert.deepEqual(found.left, []);
    const again = planConfig(planConfig(text, settingsWith()).text, settingsWith());
    assert.deepEqual([again.mended, again.left], [[], []]);
  });
}

const presidio = {
  guardrail_name: 'pii',
  litellm_params: { guardrail: 'presidio', mode: 'logging_only' },
};

const forPeople: readonly (readonly [what: string, text: string, finding: string])[] = [
  [
    'a header of a text around a variable',
    config({
      callback: { headers: { Authorization: 'os.environ/TOKEN', 'X-Env': 'a-os.environ/B' } },
    }),
    `header_literal ${block}.headers.X-Env`,
  ],
  [
    'a variable as shells have it',
    config({ callback: { headers: { Authorization: `Bearer ${'$'}{TOKEN}` } } }),
    `header_literal ${block}.headers.Authorization`,
  ],
  [
    'a variable as shells have it, alone',
    config({ callback: { headers: { Authorization: '$TOKEN' } } }),
    `header_literal ${block}.headers.Authorization`,
  ],
  [
    'another path',
    config({ callback: { endpoint: 'http://127.0.0.1:4100/' } }),
    `endpoint_path ${block}.endpoint`,
  ],
  ...['batch_size', 'flush_interval', 'max_queue_size', 'turn_off_message_logging', 'sampling'].map(
    (name) =>
      [
        `${name} of a callback`,
        config({ callback: { [name]: 1 } }),
        `ignored_setting ${block}.${name}`,
      ] as const,
  ),
  ['a long time-out', config({ callback: { timeout: 60 } }), `long_timeout ${block}.timeout`],
  [
    'a post for each call',
    config({ callback: { log_format: 'single' } }),
    `single_format ${block}.log_format`,
  ],
  [
    'successes alone',
    config({ callback: { event_types: ['llm_api_success'] } }),
    `event_types ${block}.event_types`,
  ],
  [
    'a second callback to the sidecar',
    config({
      settings: { callbacks: ['sidecar', 'other'] },
      callback_settings: {
        sidecar: {
          ...{ callback_type: 'generic_api', endpoint: 'http://a/v1/events', headers: {} },
          ...{ max_retries: 5, retry_delay: 1, timeout: 10 },
        },
        other: { callback_type: 'generic_api', endpoint: 'http://b/v1/events', headers: {} },
      },
    }),
    'callback_double callback_settings.other',
  ],
  [
    'generic_api by its name alone',
    config({ settings: { callbacks: ['sidecar', 'generic_api'] } }),
    'generic_api_without_retries litellm_settings.callbacks',
  ],
  [
    'a second callback, with a slash at the end of where it posts to',
    config({
      settings: { callbacks: ['sidecar', 'other'] },
      callback_settings: {
        sidecar: {
          ...{ callback_type: 'generic_api', endpoint: 'http://a/v1/events', headers: {} },
          ...{ max_retries: 5, retry_delay: 1, timeout: 10 },
        },
        other: { callback_type: 'generic_api', endpoint: 'http://b/v1/events//', headers: {} },
      },
    }),
    'callback_double callback_settings.other',
  ],
  [
    'another callback of the same type that is on',
    config({
      settings: { callbacks: ['sidecar', 'other'] },
      callback_settings: {
        sidecar: {
          ...{ callback_type: 'generic_api', endpoint: 'http://a/v1/events', headers: {} },
          ...{ max_retries: 5, retry_delay: 1, timeout: 10 },
        },
        other: { callback_type: 'generic_api', endpoint: 'os.environ/ELSEWHERE', headers: {} },
        off: { callback_type: 'generic_api', endpoint: 'os.environ/NOWHERE', headers: {} },
      },
    }),
    'other_generic_api callback_settings.other',
  ],
  [
    "LiteLLM's own mlflow",
    config({ settings: { success_callback: ['mlflow'] } }),
    'mlflow_callback litellm_settings.callbacks',
  ],
  [
    'callbacks in the wrong section',
    config({ general_settings: { callbacks: ['sidecar'] } }),
    'ignored_setting general_settings.callbacks',
  ],
  [
    'Presidio that masks logs alone',
    config({ guardrails: [presidio] }),
    'presidio_logging_only guardrails.0',
  ],
  ...[
    { tags: { eu: 'logging_only' } },
    { tags: { eu: ['pre_call', 'logging_only'] }, default: 'pre_call' },
    { tags: {}, default: ['logging_only'] },
  ].map(
    (mode) =>
      [
        `Presidio that masks logs alone, by ${JSON.stringify(mode)}`,
        config({
          guardrails: [{ guardrail_name: 'pii', litellm_params: { guardrail: 'presidio', mode } }],
        }),
        'presidio_logging_only guardrails.0',
      ] as const,
  ),
  [
    'Presidio in the older form',
    config({
      settings: { guardrails: [{ pii: { callbacks: ['presidio'], logging_only: true } }] },
    }),
    'presidio_logging_only litellm_settings.guardrails.0',
  ],
  [
    'a variable that is read before the file',
    config({ environment_variables: { DEFAULT_FLUSH_INTERVAL_SECONDS: 1 } }),
    'ignored_setting environment_variables.DEFAULT_FLUSH_INTERVAL_SECONDS',
  ],
  ['another file', config({ include: ['models.yaml'] }), 'include include'],
];

for (const [what, text, finding] of forPeople) {
  test(`${what} is told of, with what to do, and left alone`, () => {
    const plan = planConfig(text, settingsWith());
    assert.equal(plan.text, text);
    assert.deepEqual(
      plan.left.map(({ code, path }) => `${code} ${path}`),
      [finding],
    );
    assert.ok((plan.left[0]?.advice ?? '').length > 10);
  });
}

for (const log_format of ['json_array', 'ndjson', null, 'os.environ/FORMAT']) {
  test(`the format ${log_format} is fine`, () => {
    assert.deepEqual(findings(config({ callback: { log_format } })), { mended: [], left: [] });
  });
}
