import { NoCredentialsError } from './authorizer.ts';
import { errorName } from './error-name.ts';

export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  /** Unix milliseconds; absent for those that last. */
  expiresAt?: number;
  /** Where they came from, in words. */
  source: string;
}

/** Credentials that are kept, and renewed before they run out. */
export interface CredentialSource {
  /** @throws NoCredentialsError when there are none, or only some that have run out. */
  current(): Promise<AwsCredentials>;
  /**
   * Asks for others than `stale`, which were refused; where others have been fetched since, those.
   *
   * @throws NoCredentialsError when none can be had.
   */
  renew(stale: AwsCredentials): Promise<AwsCredentials>;
}

/**
 * The credentials as a provider for Amazon's clients. These keep what they are given until it runs out,
 * which is said to be so at once: so they ask each time, and never use what was renewed meanwhile.
 */
export function providerFor(source: CredentialSource) {
  return async () => ({ ...(await source.current()), expiration: new Date(0) });
}

export interface CredentialOptions {
  /** Asks the provider. `force`: what it keeps itself is not good any more. */
  fetch: (force: boolean) => Promise<AwsCredentials>;
  now: () => number;
  random: () => number;
}

/**
 * Renewal begins so long before the end, in milliseconds, and by chance up to as much again sooner, so
 * that sidecars that started together do not ask together. Of short lives it takes the last quarter.
 */
const renewAhead = 5 * 60_000;
const shortLife = 1 / 4;
/** After a renewal in the background that failed, the next one waits, in milliseconds. */
const retryAfter = 15_000;

/**
 * Keeps one set of credentials, and asks for the next one at a time, whoever needs it. While the old
 * ones hold, the new ones are fetched in the background, and nobody waits. The providers of Amazon's
 * own library do so only for its own clients.
 */
export function createCredentialSource({
  fetch,
  now,
  random,
}: CredentialOptions): CredentialSource {
  let kept: AwsCredentials | undefined;
  let renewAt = Infinity;
  let fetching: Promise<AwsCredentials> | undefined;

  const fetchOnce = (force: boolean): Promise<AwsCredentials> => {
    fetching ??= fetch(force)
      .then((fetched) => {
        kept = fetched;
        const life = (fetched.expiresAt ?? Infinity) - now();
        const ahead = Math.min(renewAhead * (1 + random()), life * shortLife);
        renewAt = (fetched.expiresAt ?? Infinity) - ahead;
        return fetched;
      })
      .catch((error: unknown) => {
        renewAt = now() + retryAfter * (1 + random());
        throw new NoCredentialsError(errorName(error));
      })
      .finally(() => {
        fetching = undefined;
      });
    return fetching;
  };

  return {
    current: async () => {
      if (kept === undefined) return fetchOnce(false);
      if (kept.expiresAt !== undefined && now() >= kept.expiresAt) return fetchOnce(true);
      // Those that are kept still hold; should this fail, the next one after a while need not.
      if (now() >= renewAt) fetchOnce(true).catch(() => undefined);
      return kept;
    },
    renew: async (stale) => (kept === undefined || kept === stale ? fetchOnce(true) : kept),
  };
}
