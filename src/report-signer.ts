import type { Logger } from 'pino';
import type { CredentialSource } from './aws/credentials.ts';
import { errorName } from './aws/error-name.ts';
import { callerIdentity, credentialAdvice } from './aws/identity.ts';
import type { Clock } from './deliver/clock.ts';
import type { AwsAccess } from './destination.ts';

export interface SignerReport {
  /** To whom requests are signed. */
  what: 'MLflow' | 'S3';
  log: Logger;
  clock: Pick<Clock, 'sleep'>;
  /** Ends the asking. */
  over: AbortSignal;
}

/** Between two questions, in milliseconds: each wait is twice the one before. */
const firstWait = 10_000;
const longestWait = 3_600_000;

/**
 * Says by which source requests are signed, as soon as there are credentials, with what about them is
 * worth a word; and as whom, as soon as STS tells. Delivery does not wait for it.
 */
export async function reportSigner(
  { credentials, region }: AwsAccess,
  { what, log, clock, over }: SignerReport,
): Promise<void> {
  let source: string | undefined;
  let told: string | undefined;
  for (let wait = firstWait; !over.aborted; wait = Math.min(2 * wait, longestWait)) {
    try {
      const used = await credentials.current();
      if (source === undefined) {
        source = used.source;
        for (const advice of credentialAdvice(process.env, used)) log.warn(advice);
        log.info({ source }, `requests to ${what} are signed by credentials from ${source}`);
      }
      const { arn } = await callerIdentity(credentials, region);
      log.info({ source: used.source, identity: arn }, `requests to ${what} are signed as ${arn}`);
      return;
    } catch (error) {
      const name = errorName(error);
      if (name !== told) log.warn({ error: name }, unknownWords(source));
      told = name;
    }
    await clock.sleep(wait, over);
  }
}

function unknownWords(source: string | undefined): string {
  return source === undefined
    ? 'there are no AWS credentials yet'
    : `STS does not tell whose the AWS credentials from ${source} are; it is asked again`;
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
