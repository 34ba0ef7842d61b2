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
   * Asks for others than `stale`, which were refused, unless others have been fetched since. True when
   * there are others now; it never throws.
   */
  renew(stale: AwsCredentials): Promise<boolean>;
}

/**
 * The credentials as a provider for Amazon's clients. These keep what they are given until it runs out,
 * which is said to be so at once: so they ask each time, and never use what was renewed meanwhile.
 */
export function providerFor(source: CredentialSource) {
  return async () => ({ ...(await source.current()), expiration: new Date(0) });
}

export interface CredentialOptions {
  /** Asks the provider, which keeps nothing itself. */
  fetch: () => Promise<AwsCredentials>;
  /** Unix milliseconds, as AWS's clock has them. */
  now: () => number;
  /** From 0 up to 1. */
  random: () => number;
  /** How long the provider may take, in milliseconds; 30 s unless set. */
  patienceMs?: number;
}

/**
 * Amazon's library bounds its own requests, but not a `credential_process` that hangs. Without a bound
 * every request would wait with it, and nothing would say why.
 */
const defaultPatienceMs = 30_000;

/**
 * Renewal begins so long before the end, in milliseconds, and by chance up to as much again sooner, so
 * that sidecars that started together do not ask together.
 */
const renewAhead = 5 * 60_000;
/** Of short lives it is this part instead: some providers hand out what is nearly over, again and again. */
const shortLife = 1 / 8;
/** How long a vain renewal is not repeated in the background, in milliseconds, or by chance twice that. */
const pause = 15_000;

/**
 * Keeps one set of credentials, and asks for the next one at a time, whoever needs it. While the old
 * ones hold, the new ones are fetched in the background, and nobody waits. The providers of Amazon's
 * own library do so only for its own clients.
 */
export function createCredentialSource({
  fetch,
  now,
  random,
  patienceMs = defaultPatienceMs,
}: CredentialOptions): CredentialSource {
  let kept: AwsCredentials | undefined;
  let fetching: Promise<AwsCredentials> | undefined;
  let turns = 0;
  let keptTurn = 0;
  let plannedAt = 0;
  let renewAt = 0;
  let endsAt = 0;

  const plan = ({ expiresAt = Infinity }: AwsCredentials) => {
    plannedAt = now();
    const life = expiresAt - plannedAt;
    renewAt = expiresAt - Math.min(renewAhead, life * shortLife) * (1 + random());
    endsAt = expiresAt;
    // What is over as it comes is so by a clock that is wrong: AWS will tell. Asking at once again would
    // be asking for each request.
    if (life <= 0) renewAt = endsAt = plannedAt + pause * (1 + random());
  };

  /** What comes after nobody waits for it is kept as well, unless something later came before it. */
  const fetchAndKeep = async (): Promise<AwsCredentials> => {
    turns += 1;
    const turn = turns;
    const fetched = await fetch();
    if (turn > keptTurn) {
      keptTurn = turn;
      kept = fetched;
      plan(fetched);
    }
    return fetched;
  };

  const fetchOnce = (): Promise<AwsCredentials> => {
    fetching ??= within(patienceMs, fetchAndKeep())
      .catch((error: unknown) => {
        renewAt = now() + pause * (1 + random());
        throw error instanceof NoCredentialsError
          ? error
          : new NoCredentialsError(errorName(error));
      })
      .finally(() => {
        fetching = undefined;
      });
    return fetching;
  };

  return {
    current: async () => {
      if (kept === undefined) return fetchOnce();
      // The clock was put back.
      if (now() < plannedAt) plan(kept);
      if (now() >= endsAt) return fetchOnce();
      // Those that are kept still hold; should this fail, the next one after a while need not.
      if (now() >= renewAt) fetchOnce().catch(() => undefined);
      return kept;
    },
    renew: async (stale) => {
      if (kept !== undefined && !areSame(kept, stale)) return true;
      return fetchOnce().then(
        (fetched) => !areSame(fetched, stale),
        () => false,
      );
    },
  };
}

/** @throws NoCredentialsError when the answer does not come in time. */
async function within<T>(ms: number, answer: Promise<T>): Promise<T> {
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(() => timeout.reject(new NoCredentialsError('timed out')), ms);
  try {
    return await Promise.race([answer, timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function areSame(one: AwsCredentials, other: AwsCredentials): boolean {
  return (
    one.accessKeyId === other.accessKeyId &&
    one.secretAccessKey === other.secretAccessKey &&
    one.sessionToken === other.sessionToken
  );
}
