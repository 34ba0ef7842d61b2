import type { ReplayRequest } from '../journal/journal.ts';
import type { Environment } from '../settings/environment.ts';
import { exitCodes } from './exit-codes.ts';
import { print, printJson } from './print.ts';
import { withDesk } from './with-desk.ts';

/** `replay`: has recorded calls that are still kept looked after again. */
export function replay(
  environment: Environment,
  request: ReplayRequest,
  json: boolean,
): Promise<number> {
  return withDesk({ environment, json }, async (desk) => {
    const result = await desk.replay(request, Date.now());
    if (json) printJson(result);
    else print(`Pending again: ${result.replayed}.`);
    return exitCodes.ok;
  });
}
