import type { Environment } from '../../settings/environment.ts';
import { loadSettings } from '../../settings/load-settings.ts';
import { reportProblems } from '../../settings/report-problems.ts';
import { exitCodes } from '../exit-codes.ts';
import { fail } from '../fail.ts';
import { print, printError, printJson } from '../print.ts';
import { readConfigFile, replaceConfigFile } from './config-file.ts';
import type { Finding } from './finding.ts';
import { type Plan, planConfig } from './plan.ts';
import { UnreadableConfigError } from './read-yaml.ts';
import { showDiff } from './show-diff.ts';
import type { Terminal } from './terminal.ts';

export interface ConfigureOptions {
  /** Does not ask. */
  yes: boolean;
  /** Changes nothing, and fails where something is to be changed. */
  check: boolean;
  json: boolean;
}

/**
 * `litellm configure FILE`: puts the callback, its retries, correlation ids and what the settings say
 * of caching into LiteLLM's configuration, and tells what it finds there that a person has to mend.
 */
export async function configure(
  environment: Environment,
  file: string,
  options: ConfigureOptions,
  terminal: Terminal,
): Promise<number> {
  if (options.json && !options.yes && !options.check) {
    return fail(
      `${file} was left alone: --json does not ask. --yes makes the change, --check only looks.`,
      exitCodes.usage,
      true,
    );
  }
  const loaded = loadSettings(environment);
  if (loaded.kind === 'invalid') {
    return fail(reportProblems(loaded.problems, loaded.file), exitCodes.settings, options.json);
  }
  try {
    const text = readConfigFile(file);
    const plan = planConfig(text, loaded.settings);
    return options.check
      ? check(file, text, plan, options)
      : await change(file, text, plan, options, terminal);
  } catch (error) {
    if (!(error instanceof UnreadableConfigError)) throw error;
    if (options.json) printJson({ file, error: error.message });
    else printError(`${file}: ${error.message}`);
    return exitCodes.failure;
  }
}

function check(file: string, text: string, plan: Plan, { json }: ConfigureOptions): number {
  const findings = [...plan.mended, ...plan.left];
  const isWrong = findings.some(({ kind }) => kind === 'fault');
  if (json) printJson({ file, ok: !isWrong, findings: findings.map(forPrograms) });
  else {
    for (const finding of findings) printFinding(finding, 'FAULT');
    if (plan.text !== text) {
      print(
        `"litellm-mlflow litellm configure ${file}" makes ${counted(plan.mended.length, 'change')}.`,
      );
    }
    if (!isWrong) print(`${file}: nothing is wrong.`);
  }
  return isWrong ? exitCodes.failure : exitCodes.ok;
}

async function change(
  file: string,
  text: string,
  plan: Plan,
  { yes, json }: ConfigureOptions,
  terminal: Terminal,
): Promise<number> {
  const isChanged = plan.text !== text;
  const changes = showDiff(text, plan.text);
  const faults = plan.left.filter(({ kind }) => kind === 'fault').length;
  const end = () => {
    if (faults === 0) return exitCodes.ok;
    printError(`${file}: ${counted(faults, 'fault')} left to be mended by hand.`);
    return exitCodes.failure;
  };
  const tell = (outcome: object) => {
    if (!json) return;
    const [mended, left] = [plan.mended.map(forPrograms), plan.left.map(forPrograms)];
    printJson({ file, ...outcome, faults, mended, left, diff: isChanged ? changes : '' });
  };
  if (!json) {
    for (const finding of plan.mended) printFinding(finding, 'mend ');
    if (isChanged) print(`\n${changes}\n`);
    for (const finding of plan.left) printFinding(finding, 'FAULT');
  }
  if (!isChanged) {
    if (!json) print(`${file}: nothing is to be changed.`);
    tell({ changed: false });
    return end();
  }
  if (!yes && !terminal.isInteractive) {
    tell({ changed: false });
    printError(
      `${file} was left alone: there is no terminal to ask at. --yes makes the change, --check only looks.`,
    );
    return exitCodes.usage;
  }
  if (!yes && !(await terminal.confirm(`Change ${file}?`))) {
    tell({ changed: false });
    printError(`${file} was left alone.`);
    return exitCodes.failure;
  }
  const backup = replaceConfigFile(file, text, plan.text, Date.now());
  tell({ changed: true, backup });
  if (!json) {
    print(`Changed ${file}; as it was before, it is ${backup}.`);
    for (const line of nextSteps(plan.text)) print(line);
  }
  return end();
}

/** What else LiteLLM needs, by what its configuration takes from the environment. */
function nextSteps(text: string): string[] {
  const variables = ['SIDECAR_EVENTS_URL', 'SIDECAR_AUTH_TOKEN'].filter((name) =>
    text.includes(`os.environ/${name}`),
  );
  const words: Readonly<Record<string, string>> = {
    SIDECAR_EVENTS_URL: 'SIDECAR_EVENTS_URL=http://HOST:4100/v1/events',
    SIDECAR_AUTH_TOKEN: "SIDECAR_AUTH_TOKEN=the sidecar's own token",
  };
  return [
    ...(variables.length === 0
      ? []
      : [`LiteLLM's environment needs ${variables.map((name) => words[name]).join(' and ')}.`]),
    'Start LiteLLM anew; "litellm-mlflow test --through-litellm" then shows that calls arrive.',
  ];
}

function printFinding({ kind, path, says, advice }: Finding, fault: string): void {
  print(
    `${kind === 'fault' ? fault : 'hint '}  ${path}: ${says}${advice === undefined ? '' : ` ${advice}`}`,
  );
}

function forPrograms({ code, kind, path, says, edits, advice }: Finding): object {
  return { code, kind, path, says, mendable: edits.length > 0 && advice === undefined, advice };
}

function counted(count: number, what: string): string {
  return count === 1 ? `one ${what}` : `${count} ${what}s`;
}
