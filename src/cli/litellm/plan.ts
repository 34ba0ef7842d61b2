import type { Settings } from '../../settings/schema.ts';
import { sidecarCallbacks } from './callback.ts';
import { CannotEditError } from './cannot-edit.ts';
import { editFile } from './edit-yaml.ts';
import { findInCache, findInPromptCache } from './find-caching.ts';
import { findInBlock } from './find-callback.ts';
import { findCorrelation, findInLists } from './find-lists.ts';
import { findMisleading } from './find-misleading.ts';
import type { Finding } from './finding.ts';
import { readYaml, type YamlFile } from './read-yaml.ts';

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
 * Mends what can be mended, one finding after the other, and looks again after each. Those of one kind
 * it mends at once where that can be: the prompts of hundreds of models.
 *
 * @throws UnreadableConfigError
 */
export function planConfig(original: string, settings: Settings): Plan {
  let file = readYaml(original);
  const mended: Finding[] = [];
  const failed = new Map<string, Finding>();
  for (;;) {
    const findings = findingsOf(file.value, settings);
    const open = findings.filter((one) => one.edits.length > 0 && !failed.has(keyOf(one)));
    const [next] = open;
    if (next === undefined) {
      return {
        text: file.text,
        mended,
        left: findings.map((one) => failed.get(keyOf(one)) ?? one),
      };
    }
    try {
      const alike = open.filter(({ code }) => code === next.code);
      const atOnce = alike.length > 1 ? mendedAtOnce(file, alike) : undefined;
      const changed = atOnce ?? next.edits.reduce((at, edit) => editFile(at, [edit]), file);
      if (changed.text === file.text) {
        throw new CannotEditError(`${next.path} is as it should be already`);
      }
      file = changed;
      mended.push(...(atOnce === undefined ? [next] : alike));
      // What could not be changed may have depended on what was: a merge, for example.
      failed.clear();
    } catch (error) {
      if (!(error instanceof CannotEditError)) throw error;
      failed.set(keyOf(next), { ...next, advice: `Change it by hand: ${error.message}.` });
    }
  }
}

/** The file with all edits of some findings, `undefined` where they are not to be made together. */
function mendedAtOnce(file: YamlFile, findings: readonly Finding[]): YamlFile | undefined {
  try {
    return editFile(
      file,
      findings.flatMap(({ edits }) => edits),
    );
  } catch (error) {
    if (!(error instanceof CannotEditError)) throw error;
    return undefined;
  }
}

function keyOf({ code, path }: Finding): string {
  return `${code} ${path}`;
}
