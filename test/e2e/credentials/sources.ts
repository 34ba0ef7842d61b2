import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { startContainerCredentials } from '../../support/container-credentials.ts';
import type { AccessKeyLookup } from '../../support/sagemaker-edge/access-keys.ts';
import { startSmallImds } from '../../support/small-imds.ts';
import { startSmallSso } from '../../support/small-sso.ts';

/** One place where credentials come from, with nothing of any other. */
export interface Source {
  environment: Readonly<Record<string, string>>;
  /** The access keys that it hands out, beside those of STS. */
  find: AccessKeyLookup;
}

export interface SourceCase {
  name: string;
  /** As the program says it. */
  source: string;
  /** Whose they are, by STS. */
  identity: RegExp;
  /** Whether they run out. */
  expires: boolean;
  /** @param home An empty folder, the program's `HOME`. */
  start(t: TestContext, home: string): Promise<Source> | Source;
}

const user = { accessKeyId: 'AKIAUSER', secretAccessKey: 'secret of the user' };
const temporary = {
  accessKeyId: 'ASIATEMPORARY',
  secretAccessKey: 'secret for a while',
  sessionToken: 'session/token+',
};
const find: AccessKeyLookup = (id) => {
  if (id === user.accessKeyId) return { ...user, allowed: ['*'] };
  return id === temporary.accessKeyId ? { ...temporary, allowed: ['*'] } : undefined;
};

const userKeys = `aws_access_key_id = ${user.accessKeyId}\naws_secret_access_key = ${user.secretAccessKey}\n`;
const isUser = /^arn:aws:iam::111122223333:user\/AKIAUSER$/;
const isTemporary = /^arn:aws:iam::111122223333:user\/ASIATEMPORARY$/;
const role = 'arn:aws:iam::111122223333:role/recorder';
const isRole = /^arn:aws:sts::111122223333:assumed-role\/recorder\//;

export const sourceCases: readonly SourceCase[] = [
  {
    name: 'access keys in the environment',
    source: 'the access keys in the environment',
    identity: isUser,
    expires: false,
    start: () => ({
      environment: {
        AWS_ACCESS_KEY_ID: user.accessKeyId,
        AWS_SECRET_ACCESS_KEY: user.secretAccessKey,
      },
      find,
    }),
  },
  {
    name: 'access keys in the environment with a session token',
    source: 'the access keys in the environment',
    identity: isTemporary,
    expires: false,
    start: () => ({
      environment: {
        AWS_ACCESS_KEY_ID: temporary.accessKeyId,
        AWS_SECRET_ACCESS_KEY: temporary.secretAccessKey,
        AWS_SESSION_TOKEN: temporary.sessionToken,
      },
      find,
    }),
  },
  {
    name: 'the default profile',
    source: 'the access keys of a profile',
    identity: isUser,
    expires: false,
    start: (_, home) => {
      writeAws(home, 'credentials', `[default]\n${userKeys}`);
      return { environment: {}, find };
    },
  },
  {
    name: 'a named profile',
    source: 'the access keys of a profile',
    identity: isUser,
    expires: false,
    start: (_, home) => {
      writeAws(home, 'credentials', `[default]\n${nobodysKeys}[recorder]\n${userKeys}`);
      return { environment: { AWS_PROFILE: 'recorder' }, find };
    },
  },
  {
    name: 'a profile with role_arn and source_profile',
    source: "a profile's role",
    identity: isRole,
    expires: true,
    start: (_, home) => {
      writeAws(home, 'credentials', `[base]\n${userKeys}`);
      const roleLines = `role_arn = ${role}\nsource_profile = base\nexternal_id = an-id\n`;
      writeAws(home, 'config', `[default]\n${roleLines}`);
      return { environment: {}, find };
    },
  },
  {
    name: 'credential_process',
    source: "a profile's process",
    identity: isTemporary,
    expires: true,
    start: (_, home) => {
      const file = join(home, 'credentials.json');
      writeFileSync(
        file,
        JSON.stringify({
          Version: 1,
          AccessKeyId: temporary.accessKeyId,
          SecretAccessKey: temporary.secretAccessKey,
          SessionToken: temporary.sessionToken,
          Expiration: new Date(Date.now() + 3_600_000).toISOString(),
        }),
      );
      writeAws(home, 'config', `[default]\ncredential_process = /bin/cat ${file}\n`);
      return { environment: {}, find };
    },
  },
  {
    name: 'a web identity (IRSA)',
    source: 'a web identity',
    identity: isRole,
    expires: true,
    start: (_, home) => {
      const file = join(home, 'token');
      writeFileSync(file, 'a.signed.token');
      return {
        environment: { AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: role },
        find: () => undefined,
      };
    },
  },
  {
    name: "a container's full URI (ECS)",
    source: "the container's role",
    identity: /user\/ASIACONTAINER/,
    expires: true,
    start: (t) => container(t, 'ecs'),
  },
  {
    name: 'EKS Pod Identity',
    source: "the container's role",
    identity: /user\/ASIACONTAINER/,
    expires: true,
    start: (t) => container(t, 'pod-identity'),
  },
  {
    name: 'instance metadata (IMDSv2)',
    source: "the instance's role",
    identity: isTemporary,
    expires: true,
    start: async (t) => ({
      environment: {
        AWS_EC2_METADATA_DISABLED: 'false',
        AWS_EC2_METADATA_SERVICE_ENDPOINT: await startSmallImds(t, temporary),
      },
      find,
    }),
  },
  {
    name: 'SSO, with a token that was fetched before',
    source: 'SSO',
    identity: isTemporary,
    expires: true,
    start: async (t, home) => {
      const start = 'https://d-1234567890.awsapps.com/start';
      const accessToken = 'a-token-of-sso';
      writeAws(
        home,
        'config',
        `[default]\nsso_start_url = ${start}\nsso_region = us-east-1\nsso_account_id = 111122223333\nsso_role_name = recorder\n`,
      );
      const name = createHash('sha1').update(start).digest('hex');
      writeAws(
        home,
        `sso/cache/${name}.json`,
        JSON.stringify({ accessToken, expiresAt: new Date(Date.now() + 3_600_000).toISOString() }),
      );
      const portal = await startSmallSso(t, accessToken, temporary);
      return { environment: { AWS_ENDPOINT_URL_SSO: portal }, find };
    },
  },
];

const nobodysKeys = 'aws_access_key_id = AKIANOBODY\naws_secret_access_key = x\n';

async function container(t: TestContext, kind: 'ecs' | 'pod-identity'): Promise<Source> {
  const endpoint = await startContainerCredentials({ kind });
  t.after(endpoint.close);
  return { environment: endpoint.environment, find: endpoint.find };
}

/** A file in the folder where Amazon's libraries keep their settings. */
function writeAws(home: string, name: string, text: string): void {
  const file = join(home, '.aws', name);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, text);
}
