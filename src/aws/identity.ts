import { clientTimeouts } from './client-timeouts.ts';
import { type AwsCredentials, type CredentialSource, providerFor } from './credentials.ts';

/** Who the credentials belong to, by STS's `GetCallerIdentity`, which needs no permission. */
export interface CallerIdentity {
  account: string;
  /** `arn:aws:sts::123456789012:assumed-role/NAME/SESSION` for a role. */
  arn: string;
}

/** @throws An error of Amazon's library when STS cannot be asked. */
export async function callerIdentity(
  credentials: CredentialSource,
  region: string,
): Promise<CallerIdentity> {
  const { STSClient, GetCallerIdentityCommand } = await import('@aws-sdk/client-sts');
  const client = new STSClient({
    region,
    credentials: providerFor(credentials),
    requestHandler: clientTimeouts,
    maxAttempts: 2,
  });
  try {
    const { Account = '', Arn = '' } = await client.send(new GetCallerIdentityCommand({}));
    return { account: Account, arn: Arn };
  } finally {
    client.destroy();
  }
}

/** Until when credentials are good, in words. */
export function untilWords({ expiresAt, sessionToken }: AwsCredentials): string {
  if (expiresAt !== undefined) return new Date(expiresAt).toISOString();
  return sessionToken === undefined ? 'they do not run out' : 'not known; they run out';
}

/**
 * That there are no credentials, and what to do about it.
 *
 * @param cause The error's name, as Amazon's library has it.
 * @param roles The ARNs of those that the settings want assumed.
 */
export function noCredentialsWords(
  cause: string,
  roles: readonly string[],
): { what: string; advice: string } {
  // The chain's own name for having found nothing to begin with.
  if (roles.length === 0 || cause === 'CredentialsProviderError') {
    return {
      what: `There are no credentials (${cause})`,
      advice:
        'Give the container, task or pod a role, or name one in aws.assumeRole: docs/sagemaker.md.',
    };
  }
  return {
    what: `${roles.join(', then ')} cannot be assumed (${cause})`,
    advice:
      "The role's trust policy has to name who assumes it, and STS has to be in reach: docs/sagemaker.md.",
  };
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What about credentials and where they come from is worth a warning or a hint, in words.
 *
 * @param credentials Those in use, if there are any.
 */
export function credentialAdvice(environment: Environment, credentials?: AwsCredentials): string[] {
  const has = (name: string) => (environment[name] ?? '') !== '';
  const usesKeys = has('AWS_ACCESS_KEY_ID') && has('AWS_SECRET_ACCESS_KEY') && !has('AWS_PROFILE');
  const hidden = roles.filter(([variable]) => usesKeys && has(variable));
  if (hidden.length > 0) {
    return hidden.map(
      ([, words]) =>
        `AWS_ACCESS_KEY_ID hides ${words}: Amazon's libraries prefer access keys in the environment; unset them to use the role`,
    );
  }
  const isTemporary =
    credentials?.sessionToken !== undefined && credentials.expiresAt === undefined;
  if (isTemporary) {
    return [
      `the credentials from ${credentials.source} run out, and nothing here renews them: they are for a trial; use a role`,
    ];
  }
  const last =
    (usesKeys && !has('AWS_SESSION_TOKEN')) ||
    (credentials !== undefined && credentials.sessionToken === undefined);
  return last ? ['access keys that do not run out are in use; a role is safer'] : [];
}

/** The variables by which a platform gives a role to a container. */
const roles: readonly (readonly [variable: string, words: string])[] = [
  ['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', "the ECS task's role"],
  ['AWS_CONTAINER_CREDENTIALS_FULL_URI', "the container's role (EKS Pod Identity)"],
  ['AWS_WEB_IDENTITY_TOKEN_FILE', "the service account's role (IRSA)"],
];
