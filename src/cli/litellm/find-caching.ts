import { isDeepStrictEqual } from 'node:util';
import type { Settings } from '../../settings/schema.ts';
import { type Edit, type Path, valueAt } from './edit.ts';
import { byHand, type Finding, mendable } from './finding.ts';

type LitellmSettings = Settings['litellm'];

/** LiteLLM's `cache_params`, by the settings. */
export function cacheParams(settings: LitellmSettings): Readonly<Record<string, unknown>> {
  return {
    type: settings.cacheBackend,
    ttl: settings.cacheTtl / 1_000,
    supported_call_types: settings.cacheCallTypes,
    ...(settings.cacheNamespace !== undefined && { namespace: settings.cacheNamespace }),
    ...settings.cacheParams,
  };
}

/** Without its bucket LiteLLM does not start, or caches nothing. */
const bucketOf: Readonly<Record<string, string>> = {
  s3: 's3_bucket_name',
  gcs: 'gcs_bucket_name',
};

/** How the response cache differs from what the settings want of it. */
export function findInCache(config: unknown, settings: LitellmSettings): Finding[] {
  const on = ['litellm_settings', 'cache'];
  switch (settings.cache) {
    case 'keep':
      return [];
    case 'off':
      return valueAt(config, on) === true
        ? [
            mendable('cache', on.join('.'), 'the settings want no response cache.', {
              kind: 'set',
              path: on,
              value: false,
            }),
          ]
        : [];
    case 'on': {
      const wanted = cacheParams(settings);
      const bucket = bucketOf[settings.cacheBackend];
      const members: [Path, unknown][] = [
        [on, true],
        ...Object.entries(wanted).map(([name, value]): [Path, unknown] => [
          ['litellm_settings', 'cache_params', name],
          value,
        ]),
      ];
      const edits = members.flatMap(([path, value]) => setWhere(config, path, value));
      return [
        ...(edits.length === 0
          ? []
          : [
              mendable(
                'cache',
                'litellm_settings.cache_params',
                'the response cache is not the one that the settings want.',
                ...edits,
              ),
            ]),
        ...(bucket === undefined || bucket in wanted
          ? []
          : [
              byHand(
                'fault',
                'cache_bucket',
                `litellm_settings.cache_params.${bucket}`,
                `a cache in ${settings.cacheBackend} needs its bucket.`,
                `Set litellm.cacheParams: { ${bucket}: NAME } in config/sidecar.yaml.`,
              ),
            ]),
      ];
    }
  }
}

/** An edit that gives a member this value, where it has another. */
function setWhere(config: unknown, path: Path, value: unknown): Edit[] {
  return isDeepStrictEqual(valueAt(config, path), value) ? [] : [{ kind: 'set', path, value }];
}

/** How the marks for the providers' prompt caches differ from what the settings want. */
export function findInPromptCache(config: unknown, settings: LitellmSettings): Finding[] {
  const { promptCache, promptCacheModels, promptCacheMinTokens } = settings;
  if (promptCache === 'keep') return [];
  const models = modelsOf(config);
  const isOn = promptCache === 'on';
  const found: Finding[] = [];
  for (const { index, name, model } of models) {
    const path = ['model_list', index];
    const points = [...path, 'litellm_params', 'cache_control_injection_points'];
    const isChosen =
      promptCacheModels.length === 0
        ? /claude|^anthropic\//i.test(model)
        : promptCacheModels.includes(name);
    const edits: Edit[] = [];
    if (isOn && isChosen) {
      edits.push(...setWhere(config, points, settings.promptCachePoints));
      if (promptCacheMinTokens !== undefined) {
        const least = [...path, 'model_info', 'prompt_cache_min_tokens'];
        edits.push(...setWhere(config, least, promptCacheMinTokens));
      }
    } else if (!isOn && valueAt(config, points) !== undefined) {
      edits.push({ kind: 'remove', path: points });
    }
    if (edits.length === 0) continue;
    const says = isOn
      ? `prompts for ${name} are not marked for the provider's cache as the settings want it.`
      : `prompts for ${name} are marked for the provider's cache, which the settings do not want.`;
    found.push(mendable('prompt_cache', path.join('.'), says, ...edits));
  }
  const automatic = ['litellm_settings', 'enable_anthropic_prompt_caching'];
  if (!isOn && valueAt(config, automatic) === true) {
    found.push(
      mendable('prompt_cache', automatic.join('.'), 'the settings want no marks in prompts.', {
        kind: 'set',
        path: automatic,
        value: false,
      }),
    );
  }
  for (const name of isOn ? promptCacheModels : []) {
    if (models.some((model) => model.name === name)) continue;
    found.push(
      byHand(
        'fault',
        'no_such_model',
        'model_list',
        `the settings want marks in prompts for ${name}, which is no model_name there.`,
        'Correct litellm.promptCacheModels in config/sidecar.yaml.',
      ),
    );
  }
  return found;
}

interface ListedModel {
  index: number;
  /** What clients ask for. */
  name: string;
  /** What LiteLLM asks the provider for, such as `anthropic/claude-haiku-5-5`. */
  model: string;
}

function modelsOf(config: unknown): ListedModel[] {
  const list = valueAt(config, ['model_list']);
  return (Array.isArray(list) ? list : []).map((entry, index) => ({
    index,
    name: String(valueAt(entry, ['model_name']) ?? ''),
    model: String(valueAt(entry, ['litellm_params', 'model']) ?? ''),
  }));
}
