import { NoCredentialsError } from '../aws/authorizer.ts';
import { errorName } from '../aws/error-name.ts';
import {
  callerIdentity,
  credentialAdvice,
  noCredentialsWords,
  untilWords,
} from '../aws/identity.ts';
import { awsAccess } from '../destination.ts';
import { destinationSetting } from '../settings/destination.ts';
import type { Environment } from '../settings/environment.ts';
import { loadSettings } from '../settings/load-settings.ts';
import { reportProblems } from '../settings/report-problems.ts';
import { exitCodes } from './exit-codes.ts';
import { fail } from './fail.ts';
import { print, printError, printJson } from './print.ts';

/**
 * `auth`: which credentials requests are signed by, whose they are, and until when. Fails where there are
 * none, or where STS cannot tell whose they are.
 */
export async function auth(environment: Environment, json: boolean): Promise<number> {
  const loaded = loadSettings(environment);
  if (loaded.kind === 'invalid') {
    return fail(reportProblems(loaded.problems, loaded.file), exitCodes.settings, json);
  }
  const isSigned = destinationSetting(loaded.settings).kind !== 'url';
  if (!isSigned && !json) {
    print('MLflow is asked by its URL, without a signature; S3 may need credentials.');
  }
  const { credentials, region, roles } = awsAccess(loaded.settings);
  const used = await credentials.current().catch((error: unknown) => {
    if (error instanceof NoCredentialsError) return error;
    throw error;
  });
  if (used instanceof NoCredentialsError) {
    if (json) printJson({ region, error: used.message });
    else {
      const { what, advice } = noCredentialsWords(used.message, roles);
      printError(`${what}. ${advice}`);
    }
    return exitCodes.failure;
  }
  const { source, expiresAt } = used;
  const expires = expiresAt === undefined ? undefined : new Date(expiresAt).toISOString();
  const advice = credentialAdvice(environment, used);
  const { identity, error } = await callerIdentity(credentials, region).then(
    (found) => ({ identity: found, error: undefined }),
    (failure: unknown) => ({ identity: undefined, error: errorName(failure) }),
  );
  if (json) printJson({ source, region, ...identity, expires, error, advice });
  else {
    print(`Credentials: ${source}`);
    print(
      `Identity:    ${identity?.arn ?? `not known, STS in ${region} could not tell: ${error}`}`,
    );
    print(`Until:       ${untilWords(used)}`);
    for (const line of advice) print(`Hint:        ${line}`);
  }
  return identity === undefined ? exitCodes.failure : exitCodes.ok;
}
