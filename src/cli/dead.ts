import type { DeadLetter, DeadLetterFilter } from '../journal/dead-letter.ts';
import type { Environment } from '../settings/environment.ts';
import { exitCodes } from './exit-codes.ts';
import { print, printError, printJson, printTable } from './print.ts';
import { withDesk } from './with-desk.ts';

/** `dead list`: the dead letters, newest first. */
export function listDead(
  environment: Environment,
  filter: DeadLetterFilter,
  limit: number,
  json: boolean,
): Promise<number> {
  return withDesk({ environment, json }, async (desk) => {
    const found = await desk.listDead(filter, limit + 1);
    const letters = found.slice(0, limit);
    if (json) printJson(letters);
    else if (letters.length === 0) print('No dead letters.');
    else printTable([['id', 'died', 'reason', 'model', 'team', 'detail'], ...letters.map(rowOf)]);
    if (found.length > limit) printError('There are more; --limit shows them.');
    return exitCodes.ok;
  });
}

function rowOf({ id, diedAt, reason, detail, call, bytes }: DeadLetter): string[] {
  return [
    String(id),
    new Date(diedAt).toISOString(),
    reason,
    call?.model ?? '-',
    call?.team ?? '-',
    bytes === undefined ? detail : `${detail}, ${bytes} bytes`,
  ];
}

/** `dead show ID`: one dead letter with its content. */
export function showDead(environment: Environment, id: number): Promise<number> {
  return withDesk({ environment, json: true }, async (desk) => {
    const letter = await desk.showDead(id);
    if (letter === undefined) {
      printError(`There is no dead letter ${id}; "dead list" shows those there are.`);
      return exitCodes.failure;
    }
    printJson(letter);
    return exitCodes.ok;
  });
}

/** `dead requeue`: makes dead calls pending again. */
export function requeueDead(
  environment: Environment,
  filter: DeadLetterFilter,
  json: boolean,
): Promise<number> {
  return withDesk({ environment, json }, async (desk) => {
    const result = await desk.requeueDead(filter, Date.now());
    if (json) printJson(result);
    else {
      print(`Pending again: ${result.requeued}.`);
      if (result.left > 0) print(`Left, being no calls: ${result.left}.`);
    }
    return exitCodes.ok;
  });
}

/** `dead purge`: forgets dead letters and what they keep. */
export function purgeDead(
  environment: Environment,
  filter: DeadLetterFilter,
  json: boolean,
): Promise<number> {
  return withDesk({ environment, json }, async (desk) => {
    const result = await desk.purgeDead(filter, Date.now());
    if (json) printJson(result);
    else print(`Forgotten: ${result.purged}.`);
    return exitCodes.ok;
  });
}
