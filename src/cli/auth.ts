import { NoCredentialsError } from '../aws/authorizer.ts';
import { errorName } from '../aws/error-name.ts';
import { type CallerIdentity, callerIdentity, credentialAdvice } from '../aws/identity.ts';
import { awsAccess } from '../destination.ts';
import { destinationSetting } from '../settings/destination.ts';
import type { Environment } from '../settings/environment.ts';
import { loadSettings } from '../settings/load-settings.ts';
import { reportProblems } from '../settings/report-problems.ts';
import { exitCodes } from './exit-codes.ts';
import { print, printError, printJson } from './print.ts';

/** `auth`: which credentials requests are signed by, whose they are, and until when. */
export async function auth(environment: Environment, json: boolean): Promise<number> {
  const loaded = loadSettings(environment);
  if (loaded.kind === 'invalid') {
    printError(reportProblems(loaded.problems, loaded.file));
    return exitCodes.settings;
  }
  const isAws = destinationSetting(loaded.settings).kind !== 'url';
  const { credentials, region } = awsAccess(loaded.settings);
  try {
    const { source, expiresAt } = await credentials.current();
    const asked = await callerIdentity(credentials, region).catch((error: unknown) => error);
    const identity = asked instanceof Error ? undefined : (asked as CallerIdentity);
    const error = asked instanceof Error ? errorName(asked) : undefined;
    const expires = expiresAt === undefined ? undefined : new Date(expiresAt).toISOString();
    const advice = credentialAdvice(environment);
    if (json) printJson({ source, region, ...identity, expires, error, advice });
    else {
      if (!isAws)
        print('MLflow is asked by its URL, without a signature; S3 may need credentials.');
      print(`Credentials: ${source}`);
      print(`Identity:    ${identity?.arn ?? `not known: STS in ${region} answered ${error}`}`);
      print(`Until:       ${expires ?? 'they do not run out'}`);
      for (const line of advice) print(`Hint:        ${line}`);
    }
    return identity === undefined ? exitCodes.failure : exitCodes.ok;
  } catch (error) {
    if (!(error instanceof NoCredentialsError)) throw error;
    if (json) printJson({ region, error: error.message });
    else {
      printError(
        `There are no credentials (${error.message}): give the container, task or pod a role, or name one in aws.assumeRole. See docs/sagemaker.md.`,
      );
    }
    return exitCodes.failure;
  }
}
