import type { Settings } from '../../settings/schema.ts';
import { readConfigFile } from '../litellm/config-file.ts';
import { planConfig } from '../litellm/plan.ts';
import { UnreadableConfigError } from '../litellm/read-yaml.ts';
import { type Check, failure, ok, warning } from './check.ts';

/** LiteLLM's configuration, as `litellm configure --check` looks at it. */
export function checkLitellm(file: string, settings: Settings): Check[] {
  try {
    const { mended, left } = planConfig(readConfigFile(file), settings);
    const mend = `"litellm configure ${file}" mends it.`;
    const checks = [
      ...mended.map(({ path, says }) => failure('litellm', `${path}: ${says}`, mend)),
      ...left.map(({ kind, path, says, advice = '' }) =>
        (kind === 'fault' ? failure : warning)('litellm', `${path}: ${says}`, advice),
      ),
    ];
    return checks.length === 0 ? [ok('litellm', `${file}: nothing is wrong`)] : checks;
  } catch (error) {
    if (!(error instanceof UnreadableConfigError)) throw error;
    return [failure('litellm', `${file}: ${error.message}`, 'Correct the file.')];
  }
}
