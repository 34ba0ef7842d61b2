import { NoCredentialsError } from '../../aws/authorizer.ts';
import { errorName } from '../../aws/error-name.ts';
import {
  callerIdentity,
  credentialAdvice,
  noCredentialsWords,
  untilWords,
} from '../../aws/identity.ts';
import type { AwsAccess } from '../../destination.ts';
import type { Environment } from '../../settings/environment.ts';
import { type Check, failure, ok, warning } from './check.ts';

/** So little time before credentials run out is worth a word, in milliseconds. */
const soon = 5 * 60_000;

/**
 * Which AWS credentials there are, and whose: by `sts:GetCallerIdentity`, which needs no permission.
 *
 * @param now Unix milliseconds.
 */
export async function checkIdentity(
  { credentials, region, roles }: AwsAccess,
  environment: Environment,
  now: number,
): Promise<Check[]> {
  const used = await credentials.current().catch((error: unknown) => {
    if (error instanceof NoCredentialsError) return error;
    throw error;
  });
  if (used instanceof NoCredentialsError) {
    const { what, advice } = noCredentialsWords(used.message, roles);
    return [failure('credentials', what, advice)];
  }
  const { source, expiresAt } = used;
  const until = untilWords(used);
  const checks = [ok('credentials', `${source}; until: ${until}`)];
  if (expiresAt !== undefined && expiresAt - now < soon) {
    checks.push(
      warning(
        'credentials',
        `they run out at ${until}, and what gave them gives no later ones yet`,
        'Look at what renews them.',
      ),
    );
  }
  checks.push(
    ...credentialAdvice(environment, used).map((text) =>
      warning('credentials', text, 'See docs/sagemaker.md.'),
    ),
  );
  const identity = await callerIdentity(credentials, region).then(
    ({ arn }) => ok('identity', `${arn}, as STS says`),
    (error: unknown) => {
      const name = errorName(error);
      const detail = `STS in ${region} does not say whose the credentials are (${name})`;
      return /Token|Signature|Client|Expired/.test(name)
        ? failure('identity', detail, 'They are not good any more: get others.')
        : warning('identity', detail, 'STS may be out of reach here, which MLflow need not be.');
    },
  );
  return [...checks, identity];
}
