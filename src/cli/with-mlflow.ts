import { NoCredentialsError } from '../aws/authorizer.ts';
import { errorName } from '../aws/error-name.ts';
import { systemClock } from '../deliver/clock.ts';
import { awsAccess, type Destination, findDestination } from '../destination.ts';
import type { ClientOptions } from '../mlflow/client.ts';
import type { Send } from '../mlflow/transport.ts';
import type { Environment } from '../settings/environment.ts';
import { loadSettings } from '../settings/load-settings.ts';
import { reportProblems } from '../settings/report-problems.ts';
import type { Settings } from '../settings/schema.ts';
import { exitCodes } from './exit-codes.ts';
import { fail } from './fail.ts';
import { oneConnection } from './one-connection.ts';

/** The MLflow that the settings mean, ready to be asked by a command. */
export interface OpenMlflow {
  settings: Settings;
  destination: Destination;
  send: Send;
  /** What its clients are made with. */
  told: ClientOptions;
}

/** Finds MLflow for one command, and says why where it cannot. */
export async function withMlflow(
  environment: Environment,
  json: boolean,
  command: (mlflow: OpenMlflow) => Promise<number>,
): Promise<number> {
  const loaded = loadSettings(environment);
  if (loaded.kind === 'invalid') {
    return fail(reportProblems(loaded.problems, loaded.file), exitCodes.settings, json);
  }
  const { settings } = loaded;
  const over = new AbortController();
  try {
    const lookup = { onUnknown: () => undefined, sleep: systemClock.sleep, over: over.signal };
    const destination = await findDestination(() => settings, awsAccess(settings), lookup).catch(
      (error: unknown) => String(errorName(error)),
    );
    if (typeof destination === 'string') {
      const isWithout = destination.startsWith(NoCredentialsError.name);
      const text = isWithout
        ? `There are no AWS credentials (${destination}); "auth" says what is found.`
        : `The tracking server could not be looked up (${destination}); "server status" says more.`;
      return fail(text, exitCodes.failure, json);
    }
    const transport = oneConnection(settings, destination);
    try {
      const told = { now: Date.now, onOutcome: () => undefined };
      return await command({ settings, destination, send: transport.send, told });
    } finally {
      await transport.close();
    }
  } finally {
    over.abort();
  }
}
