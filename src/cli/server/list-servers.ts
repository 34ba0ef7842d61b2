import { ControlError, type ListedMlflow } from '../../aws/mlflow-control.ts';
import type { Environment } from '../../settings/environment.ts';
import { exitCodes } from '../exit-codes.ts';
import { print, printError, printJson, printTable } from '../print.ts';
import { refusalWords } from './refusal-words.ts';
import { stateOf } from './show-server.ts';
import { withRegion } from './with-control.ts';

/**
 * `server list`: the tracking servers and apps of the account in the region. Where one kind may not be
 * listed, the other is; it fails only when neither may.
 */
export function listServers(environment: Environment, json: boolean): Promise<number> {
  return withRegion(environment, json, async (control, region) => {
    const answers = await Promise.allSettled([control.listServers(), control.listApps()]);
    const found: ListedMlflow[] = [];
    const problems: string[] = [];
    for (const answer of answers) {
      if (answer.status === 'fulfilled') found.push(...answer.value);
      else if (answer.reason instanceof ControlError) {
        problems.push(refusalWords(answer.reason, region));
      } else throw answer.reason;
    }
    const unique = [...new Set(problems)];
    if (json) printJson({ region, found, problems: unique });
    else {
      unique.forEach(printError);
      if (found.length > 0) printTable([heading, ...found.map(rowOf)]);
      else if (unique.length === 0)
        print(`There is neither a tracking server nor an app in ${region}.`);
    }
    return problems.length === answers.length ? exitCodes.failure : exitCodes.ok;
  });
}

const heading = ['name', 'kind', 'status', 'MLflow', 'created', 'ARN'];

function rowOf(one: ListedMlflow): string[] {
  return [
    one.name,
    one.kind === 'mlflow-app' ? 'app' : 'tracking server',
    stateOf(one),
    one.version ?? '-',
    one.created?.toISOString() ?? '-',
    one.arn,
  ];
}
