import type { Logger } from 'pino';
import type { CredentialSource } from './aws/credentials.ts';
import { errorName } from './aws/error-name.ts';
import { callerIdentity, credentialAdvice } from './aws/identity.ts';
import type { AwsAccess } from './destination.ts';

/** Says who signs requests to `what`, and what about that is worth a word. Delivery does not wait for it. */
export async function reportSigner(
  { credentials, region }: AwsAccess,
  log: Logger,
  what: 'MLflow' | 'S3' = 'MLflow',
): Promise<void> {
  try {
    const used = await credentials.current();
    for (const advice of credentialAdvice(process.env, used)) log.warn(advice);
    const { arn } = await callerIdentity(credentials, region);
    const { source } = used;
    log.info({ source, identity: arn }, `requests to ${what} are signed as ${arn}`);
  } catch (error) {
    log.warn({ error: errorName(error) }, 'it is not known whose AWS credentials are in use');
  }
}

/** The same credentials; `tell` is called when they are asked for, for the first time. */
export function onFirstUse(source: CredentialSource, tell: () => void): CredentialSource {
  let isTold = false;
  return {
    ...source,
    current: () => {
      if (!isTold) tell();
      isTold = true;
      return source.current();
    },
  };
}
