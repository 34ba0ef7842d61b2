import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { planConfig } from '../../../src/cli/litellm/plan.ts';
import { type Settings, settingsSchema } from '../../../src/settings/schema.ts';
import { listOf, recordOf } from '../../support/upstream-request.ts';

/** A configuration with nothing wrong in it, but for what a test changes. */
function config({ callback = {}, settings = {}, ...more }: Record<string, object> = {}): string {
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

function settingsWith(litellm: object = {}, server: object = {}): Settings {
  return settingsSchema.parse({ litellm, server });
}

function findings(text: string, settings = settingsWith()) {
  const { mended, left } = planConfig(text, settings);
  const codes = (of: typeof left) => of.map(({ code, path }) => `${code} ${path}`);
  return { mended: codes(mended), left: codes(left) };
}

const block = 'callback_settings.sidecar';

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

test('what stands around a variable in a header is not repeated', () => {
  const text = config({ callback: { headers: { Authorization: 'Bearer s3cr3t-os.environ/X' } } });
  assert.doesNotMatch(JSON.stringify(planConfig(text, settingsWith()).left), /s3cr3t/);
});

test('a sidecar with a token is told that no Authorization is sent', () => {
  const text = config({ callback: { headers: {} } });
  assert.deepEqual(findings(text).mended, []);
  const withToken = settingsWith({}, { authToken: 'a-long-token' });
  assert.deepEqual(findings(text, withToken).mended, [`token_missing ${block}.headers`]);
});

test('a callback of another name that posts to the sidecar is the one that is worked on', () => {
  const text = JSON.stringify({
    litellm_settings: { callbacks: ['calls'], request_correlation_in_logs: true },
    callback_settings: {
      calls: {
        ...{ callback_type: 'generic_api', endpoint: 'os.environ/SIDECAR_EVENTS_URL' },
        ...{ headers: {}, max_retries: 1, retry_delay: 1 },
      },
    },
  });
  assert.deepEqual(findings(text).mended, ['no_timeout callback_settings.calls.timeout']);
});

/** What LiteLLM is told of caching. */
function configured(text: string, litellm: object): Record<string, unknown> {
  return recordOf(parse(planConfig(text, settingsWith(litellm)).text, { version: '1.1' }));
}

test('the response cache has what the settings say, by its own names', () => {
  const { litellm_settings } = configured(
    config({ settings: { cache_params: { host: 'redis' } } }),
    {
      cache: 'on',
      cacheBackend: 'redis',
      cacheTtl: '2m',
      cacheCallTypes: ['acompletion'],
      cacheNamespace: 'team',
      cacheParams: { max_messages: 20 },
    },
  );
  const { cache, cache_params } = recordOf(litellm_settings);
  assert.equal(cache, true);
  assert.deepEqual(cache_params, {
    host: 'redis',
    type: 'redis',
    ttl: 120,
    supported_call_types: ['acompletion'],
    namespace: 'team',
    max_messages: 20,
  });
});

test('a cache that is on is left alone, or switched off, as the settings say', () => {
  const text = config({ settings: { cache: true, cache_params: { type: 'redis' } } });
  const cacheOf = (litellm: object) => recordOf(configured(text, litellm)['litellm_settings']);
  assert.partialDeepStrictEqual(cacheOf({}), { cache: true });
  const off = cacheOf({ cache: 'off' });
  assert.equal(off['cache'], false);
  assert.deepEqual(off['cache_params'], { type: 'redis' });
});

test('a cache in a bucket needs its name', () => {
  const s3 = { cache: 'on', cacheBackend: 's3' };
  assert.deepEqual(findings(config(), settingsWith(s3)).left, [
    'cache_bucket litellm_settings.cache_params.s3_bucket_name',
  ]);
  const named = settingsWith({ ...s3, cacheParams: { s3_bucket_name: 'b' } });
  assert.deepEqual(findings(config(), named).left, []);
});

/** The parameters and the information of each model. */
function modelsIn(
  litellm: object,
  text = config(),
): [name: unknown, points: unknown, least: unknown][] {
  return listOf(configured(text, litellm)['model_list'])
    .map(recordOf)
    .map(({ model_name, litellm_params, model_info }) => [
      model_name,
      recordOf(litellm_params)['cache_control_injection_points'],
      recordOf(model_info ?? {})['prompt_cache_min_tokens'],
    ]);
}

test('prompts for Claude are marked, wherever it is, and have their least size', () => {
  const points = [{ location: 'message', role: 'system' }];
  assert.deepEqual(modelsIn({ promptCache: 'on', promptCacheMinTokens: 2048 }), [
    ['gpt', undefined, undefined],
    ['claude', points, 2048],
    ['on-bedrock', points, 2048],
  ]);
});

test('prompts are marked for the models that are named, at the points that are named', () => {
  const promptCachePoints = [{ location: 'message', index: -1 }, { location: 'tool_config' }];
  const litellm = { promptCache: 'on', promptCacheModels: ['gpt', 'gone'], promptCachePoints };
  assert.deepEqual(
    modelsIn(litellm).map(([, points]) => points),
    [promptCachePoints, undefined, undefined],
  );
  assert.deepEqual(findings(config(), settingsWith(litellm)).left, ['no_such_model model_list']);
});

test('marks that are there are taken out where the settings want none, and else stay', () => {
  const marked = planConfig(config(), settingsWith({ promptCache: 'on' })).text;
  assert.equal(modelsIn({}, marked).filter(([, points]) => points !== undefined).length, 2);
  assert.deepEqual(modelsIn({ promptCache: 'off' }, marked), modelsIn({}));
});
