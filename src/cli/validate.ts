import type { Environment } from '../settings/environment.ts';
import { loadSettings } from '../settings/load-settings.ts';
import { reportProblems } from '../settings/report-problems.ts';
import { exitCodes } from './exit-codes.ts';
import { print, printError, printJson } from './print.ts';

/** `validate`: says whether the settings are right, and all that is wrong with them. */
export function validate(environment: Environment, json: boolean): number {
  const loaded = loadSettings(environment);
  const valid = loaded.kind === 'valid';
  if (json) {
    const problems = valid ? [] : loaded.problems;
    const warnings = valid ? loaded.warnings : [];
    printJson({ valid, file: loaded.file, problems, warnings });
  } else if (valid) {
    print(`The settings are valid (${loaded.file ?? 'no file'} and the environment).`);
    for (const warning of loaded.warnings) print(`Warning: ${warning}`);
  } else {
    printError(reportProblems(loaded.problems, loaded.file));
  }
  return valid ? exitCodes.ok : exitCodes.settings;
}
