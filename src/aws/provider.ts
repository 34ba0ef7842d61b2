import { clientTimeouts } from './client-timeouts.ts';
import type { AwsCredentials } from './credentials.ts';

/** A role to assume, as STS's `AssumeRole` takes it. */
export interface AssumedRole {
  roleArn: string;
  externalId?: string | undefined;
  sessionName: string;
  /** Seconds, 900 to 43200; STS allows 3600 at most to a role assumed by a role. */
  durationSeconds?: number | undefined;
  /** A session policy, as JSON. */
  policy?: string | undefined;
  policyArns?: readonly string[] | undefined;
  tags?: Readonly<Record<string, string>> | undefined;
  sourceIdentity?: string | undefined;
}

export interface ProviderOptions {
  /** Of STS; absent: as Amazon's library finds it in the environment. */
  region?: string | undefined;
  /** Assumed one by the other; with none, the credentials of the environment are used as they are. */
  roles: readonly AssumedRole[];
}

/**
 * Asks for credentials by Amazon's own default chain (environment, profile, SSO, process, web identity,
 * container, instance), and assumes the roles by them, one after the other. It keeps nothing from one
 * time to the next, files included, so that what was changed meanwhile counts. Amazon's library is
 * loaded when it is first asked.
 */
export function createProvider({ region, roles }: ProviderOptions): () => Promise<AwsCredentials> {
  const requestHandler = clientTimeouts;
  // As the region of a client: as that of the chain's own clients, it would replace that of SSO.
  const caller = region === undefined ? {} : { callerClientConfig: { region: async () => region } };
  const ofRoles = { requestHandler, ...(region !== undefined && { region }) };
  return async () => {
    const { fromNodeProviderChain, fromTemporaryCredentials } = await import(
      '@aws-sdk/credential-providers'
    );
    const chain = fromNodeProviderChain({ clientConfig: { requestHandler }, ignoreCache: true });
    let found = await chain(caller);
    let source = sourceOf(found);
    for (const role of roles) {
      const masterCredentials = found;
      const params = paramsOf(role);
      found = await fromTemporaryCredentials({
        masterCredentials,
        clientConfig: ofRoles,
        params,
      })();
      source = `the role ${role.roleArn}, assumed by ${source}`;
    }
    return {
      accessKeyId: found.accessKeyId,
      secretAccessKey: found.secretAccessKey,
      ...(found.sessionToken !== undefined && { sessionToken: found.sessionToken }),
      ...(found.expiration !== undefined && { expiresAt: found.expiration.getTime() }),
      source,
    };
  };
}

/** An empty list would be sent as such, and need a permission of its own (`sts:TagSession`). */
function paramsOf(role: AssumedRole) {
  const policyArns = role.policyArns?.map((arn) => ({ arn })) ?? [];
  const tags = Object.entries(role.tags ?? {}).map(([Key, Value]) => ({ Key, Value }));
  return {
    RoleArn: role.roleArn,
    RoleSessionName: role.sessionName,
    ExternalId: role.externalId,
    DurationSeconds: role.durationSeconds,
    Policy: role.policy,
    PolicyArns: policyArns.length > 0 ? policyArns : undefined,
    Tags: tags.length > 0 ? tags : undefined,
    SourceIdentity: role.sourceIdentity,
  };
}

/**
 * Amazon's library marks credentials by what found them; the last of these that fits names it. Those of
 * instance metadata alone have no mark.
 */
const sources: readonly (readonly [feature: string, words: string])[] = [
  ['CREDENTIALS_ENV_VARS', 'the access keys in the environment'],
  ['CREDENTIALS_PROFILE', 'the access keys of a profile'],
  ['CREDENTIALS_STS_ASSUME_ROLE', "a profile's role"],
  ['CREDENTIALS_PROCESS', "a profile's process"],
  ['CREDENTIALS_PROFILE_PROCESS', "a profile's process"],
  ['CREDENTIALS_SSO', 'SSO'],
  ['CREDENTIALS_SSO_LEGACY', 'SSO'],
  ['CREDENTIALS_LOGIN', 'a login'],
  ['CREDENTIALS_STS_ASSUME_ROLE_WEB_ID', 'a web identity'],
  ['CREDENTIALS_ENV_VARS_STS_WEB_ID_TOKEN', 'a web identity'],
  ['CREDENTIALS_PROFILE_STS_WEB_ID_TOKEN', 'a web identity'],
  ['CREDENTIALS_HTTP', "the container's role"],
];

function sourceOf(credentials: object): string {
  const marks = '$source' in credentials ? credentials.$source : undefined;
  if (typeof marks !== 'object' || marks === null) return "the instance's role";
  return sources.findLast(([feature]) => feature in marks)?.[1] ?? 'the default chain';
}
