import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { planConfig } from '../../../src/cli/litellm/plan.ts';
import { listOf, recordOf } from '../../support/upstream-request.ts';
import { config, findings, settingsWith } from './planned.ts';

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

test('prompts for hundreds of models are marked within seconds', () => {
  const models = Array.from(
    { length: 300 },
    (_, index) =>
      `  - model_name: m${index} # of team ${index}\n    litellm_params:\n      model: anthropic/claude-${index}\n`,
  );
  const litellm = { promptCache: 'on', promptCacheMinTokens: 512 };
  const begun = performance.now();
  const marked = modelsIn(litellm, `model_list:\n${models.join('')}`);
  assert.ok(performance.now() - begun < 10_000);
  assert.ok(marked.every(([, points, least]) => points !== undefined && least === 512));
});
