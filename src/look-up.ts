import type { Logger } from 'pino';
import { errorName } from './aws/error-name.ts';
import { saysDenied } from './aws/tracking-server-size.ts';
import type { Clock } from './deliver/clock.ts';
import type { Hold } from './deliver/hold.ts';
import { type AwsAccess, type Destination, findDestination } from './destination.ts';
import type { Settings } from './settings/schema.ts';

export interface LookUpParts {
  /** Those of the moment. */
  settings: () => Settings;
  hold: Hold;
  clock: Clock;
  log: Logger;
}

/** Looks for MLflow again and again; in the meantime it is held, with the reason. */
export async function untilFound(
  { settings, hold, clock, log }: LookUpParts,
  access: AwsAccess,
  over: AbortSignal,
): Promise<Destination | undefined> {
  const lookup = {
    onUnknown: (name: string) =>
      log.info(
        { error: name },
        `the size of the tracking server is not known (${unknownBecause(name)}): 25 requests a second are taken for what it bears`,
      ),
    sleep: clock.sleep,
    over,
  };
  while (!over.aborted) {
    try {
      const destination = await findDestination(settings, access, lookup);
      hold.succeeded();
      return destination;
    } catch (error) {
      if (over.aborted) return undefined;
      const name = errorName(error);
      hold.refused({ kind: 'hold', reason: lookupReason(name), detail: name });
      const state = hold.state();
      if (state.state === 'held') await clock.sleep(state.probeAt - clock.now(), over);
    }
  }
  return undefined;
}

function unknownBecause(name: string): string {
  return saysDenied(name)
    ? 'sagemaker:DescribeMlflowTrackingServer is not allowed'
    : 'SageMaker could not tell, and is asked again';
}

/** What a failure to look the tracking server up means, by the name of the error. */
function lookupReason(name: string) {
  if (/Credentials/.test(name)) return 'no_credentials';
  if (saysDenied(name)) return 'forbidden';
  if (/NotFound/.test(name)) return 'no_such_server';
  return /Throttl/.test(name) ? 'throttled' : 'unreachable';
}
