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
    const unknownVariables = valid ? loaded.unknownVariables : [];
    printJson({ valid, file: loaded.file, problems, unknownVariables });
  } else if (valid) {
    print(`The settings are valid (${loaded.file ?? 'no file'} and the environment).`);
    for (const name of loaded.unknownVariables) {
      print(`Warning: ${name} sets nothing; is it misspelt?`);
    }
  } else {
    printError(reportProblems(loaded.problems, loaded.file));
  }
  return valid ? exitCodes.ok : exitCodes.settings;
}
