import type { Settings } from '../../settings/schema.ts';
import { sidecarCallbacks } from './callback.ts';
import { CannotEditError, editYaml } from './edit-yaml.ts';
import { findInCache, findInPromptCache } from './find-caching.ts';
import { findInBlock } from './find-callback.ts';
import { findCorrelation, findInLists } from './find-lists.ts';
import { findMisleading } from './find-misleading.ts';
import type { Finding } from './finding.ts';
import { readYaml } from './read-yaml.ts';

/** All that there is to say of a configuration, in the order in which it is mended. */
export function findingsOf(config: unknown, settings: Settings): Finding[] {
  const [callback] = sidecarCallbacks(config);
  return [
    ...findInLists(config, callback),
    ...findCorrelation(config),
    ...findInCache(config, settings.litellm),
    ...findInPromptCache(config, settings.litellm),
    ...findInBlock(callback, settings.server.authToken !== undefined),
    ...findMisleading(config),
  ];
}

/** What becomes of a configuration. */
export interface Plan {
  /** The text with everything mended that can be. */
  text: string;
  mended: Finding[];
  /** What is left for a person; of what could not be changed, the advice says so. */
  left: Finding[];
}

/**
 * Mends what can be mended, one finding after the other, and looks again after each.
 *
 * @throws UnreadableConfigError
 */
export function planConfig(original: string, settings: Settings): Plan {
  let text = original;
  const mended: Finding[] = [];
  const failed = new Map<string, Finding>();
  for (;;) {
    const findings = findingsOf(readYaml(text).value, settings);
    const next = findings.find((one) => one.edits.length > 0 && !failed.has(keyOf(one)));
    if (next === undefined) {
      return { text, mended, left: findings.map((one) => failed.get(keyOf(one)) ?? one) };
    }
    try {
      const changed = next.edits.reduce(editYaml, text);
      if (changed === text) throw new CannotEditError(`${next.path} is as it should be already`);
      text = changed;
      mended.push(next);
    } catch (error) {
      if (!(error instanceof CannotEditError)) throw error;
      failed.set(keyOf(next), { ...next, advice: `Change it by hand: ${error.message}.` });
    }
  }
}

function keyOf({ code, path }: Finding): string {
  return `${code} ${path}`;
}
