import { isMapping, listAt, mappingAt, valueAt } from './edit.ts';
import { byHand, type Finding } from './finding.ts';

/** Read when LiteLLM's process starts, before its configuration is. */
const readAtImport: ReadonlySet<string> = new Set([
  'DEFAULT_BATCH_SIZE',
  'DEFAULT_FLUSH_INTERVAL_SECONDS',
  'LOGGING_WORKER_CONCURRENCY',
  'LOGGING_WORKER_MAX_QUEUE_SIZE',
  'LOGGING_WORKER_MAX_TIME_PER_COROUTINE',
  'MINIMUM_PROMPT_CACHE_TOKEN_COUNT',
]);

/** Settings that look as if they did something for what is posted, and do not. */
export function findMisleading(config: unknown): Finding[] {
  return [...findPresidio(config), ...findVariables(config), ...findIncludes(config)];
}

/** Presidio in this mode masks what other callbacks get, not the standard payload that is posted. */
function findPresidio(config: unknown): Finding[] {
  const places: string[] = [];
  for (const [index, guardrail] of listAt(config, ['guardrails']).entries()) {
    const params = valueAt(guardrail, ['litellm_params']);
    if (valueAt(params, ['guardrail']) !== 'presidio') continue;
    if (modesOf(params).includes('logging_only') || valueAt(params, ['logging_only']) === true)
      places.push(`guardrails.${index}`);
  }
  for (const [index, guardrail] of listAt(config, ['litellm_settings', 'guardrails']).entries()) {
    const isLogging = Object.values(isMapping(guardrail) ? guardrail : {}).some(
      (one) =>
        valueAt(one, ['logging_only']) === true && listAt(one, ['callbacks']).includes('presidio'),
    );
    if (isLogging) places.push(`litellm_settings.guardrails.${index}`);
  }
  if (valueAt(config, ['litellm_settings', 'presidio_logging_only']) === true) {
    places.push('litellm_settings.presidio_logging_only');
  }
  return places.map((path) =>
    byHand(
      'fault',
      'presidio_logging_only',
      path,
      'what Presidio masks with logging_only does not reach the payload that is posted: prompts and answers come unmasked.',
      'Use mode: pre_call, or set redact in config/sidecar.yaml (redact.url takes a service such as Presidio).',
    ),
  );
}

/** One mode, several, or such by the tags of a call (`Mode` of `types/guardrails.py`). */
function modesOf(params: unknown): unknown[] {
  return listAt(params, ['mode']).flatMap((mode) =>
    isMapping(mode)
      ? [...listAt(mode, ['default']), ...Object.values(mappingAt(mode, ['tags'])).flat()]
      : [mode],
  );
}

function findVariables(config: unknown): Finding[] {
  const variables = valueAt(config, ['environment_variables']);
  return Object.keys(isMapping(variables) ? variables : {})
    .filter((name) => readAtImport.has(name))
    .map((name) =>
      byHand(
        'fault',
        'ignored_setting',
        `environment_variables.${name}`,
        'LiteLLM reads this variable before it reads the file: it has no effect here.',
        "Set it in the environment of LiteLLM's process.",
      ),
    );
}

function findIncludes(config: unknown): Finding[] {
  const files = listAt(config, ['include']);
  return files.length === 0
    ? []
    : [
        byHand(
          'hint',
          'include',
          'include',
          `what ${files.map(String).join(', ')} holds is merged into this file by LiteLLM, and was not looked at.`,
          'See that no callback of the sidecar stands in it.',
        ),
      ];
}
