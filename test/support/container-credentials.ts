import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { listenLocally } from './listen-locally.ts';
import type { AccessKey } from './sagemaker-edge/access-keys.ts';

/** ECS hands its containers the token in the environment, EKS Pod Identity in a file that it rewrites. */
export type ContainerKind = 'ecs' | 'pod-identity';

export interface ContainerCredentialsOptions {
  readonly kind: ContainerKind;
  /** The IAM actions that its credentials allow. */
  readonly allowed?: readonly string[];
  /** Seconds for which credentials hold; an hour unless told. */
  readonly lifetime?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** How many milliseconds it takes to answer; none unless told. */
  readonly latency?: number;
}

export interface ContainerCredentials {
  readonly url: string;
  /** What a container is given, for the environment of a program. */
  readonly environment: Readonly<Record<string, string>>;
  /** How often credentials were handed out. */
  readonly handedOut: number;
  /** How often they were asked for with a token that does not hold. */
  readonly turnedAway: number;
  /** How many fetches there ever were at the same time. */
  readonly mostAtOnce: number;
  /** What was handed out, for the servers that verify signatures. */
  find(accessKeyId: string): (AccessKey & { readonly expiresAt: number }) | undefined;
  /** The access key that was handed out last. */
  readonly latest: string | undefined;
  /** Seconds for which credentials hold from now on. */
  setLifetime(seconds: number): void;
  /** Lets only another token pass from now on; for Pod Identity it is in the file already. */
  rotateToken(): Promise<void>;
  /** Answers with this status from now on, or again with credentials. */
  fail(status: number | undefined): void;
  close(): Promise<void>;
}

/**
 * The credentials endpoint that ECS and EKS give to containers, at 127.0.0.1, which clients accept for a
 * full URI over plain HTTP. A relative URI always means 169.254.170.2, which no test can listen on
 * without root. Each fetch gets credentials of its own.
 */
export async function startContainerCredentials(
  options: ContainerCredentialsOptions,
): Promise<ContainerCredentials> {
  const { kind, allowed = ['*'], now = Date.now, latency = 0 } = options;
  const dir = await mkdtemp(join(tmpdir(), 'container-credentials-'));
  const tokenFile = join(dir, 'token');
  const issued = new Map<string, AccessKey & { expiresAt: number }>();
  let lifetime = options.lifetime ?? 3600;
  let token = newSecret();
  let turnedAway = 0;
  let underWay = 0;
  let mostAtOnce = 0;
  let failure: number | undefined;
  await writeFile(tokenFile, token);

  const issue = () => {
    const accessKeyId = `ASIACONTAINER${String(issued.size + 1).padStart(7, '0')}`;
    const expiresAt = now() + lifetime * 1000;
    const secrets = { secretAccessKey: newSecret(), sessionToken: newSecret() };
    const key = { ...secrets, allowed, expiresAt };
    issued.set(accessKeyId, key);
    return {
      AccessKeyId: accessKeyId,
      SecretAccessKey: key.secretAccessKey,
      Token: key.sessionToken,
      Expiration: new Date(expiresAt).toISOString(),
      ...(kind === 'ecs'
        ? { RoleArn: 'arn:aws:iam::111122223333:role/task' }
        : { AccountId: '111122223333' }),
    };
  };

  const server = createServer(async (incoming, response) => {
    underWay += 1;
    mostAtOnce = Math.max(mostAtOnce, underWay);
    response.on('close', () => {
      underWay -= 1;
    });
    await pause(latency);
    const answer = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (failure !== undefined) return answer(failure, { code: 'InternalServerError' });
    if (incoming.url !== path) return answer(404, { code: 'NotFound' });
    if (incoming.headers.authorization !== token) {
      turnedAway += 1;
      return answer(401, { code: 'AccessDenied', message: 'The token is not valid.' });
    }
    return answer(200, issue());
  });
  const local = await listenLocally(server);
  const url = `${local.url}${path}`;
  return {
    url,
    environment: {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: url,
      ...(kind === 'ecs'
        ? { AWS_CONTAINER_AUTHORIZATION_TOKEN: token }
        : { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: tokenFile }),
    },
    get handedOut() {
      return issued.size;
    },
    get mostAtOnce() {
      return mostAtOnce;
    },
    get latest() {
      return [...issued.keys()].at(-1);
    },
    get turnedAway() {
      return turnedAway;
    },
    find: (accessKeyId) => issued.get(accessKeyId),
    setLifetime: (seconds) => {
      lifetime = seconds;
    },
    rotateToken: async () => {
      token = newSecret();
      if (kind === 'pod-identity') await writeFile(tokenFile, token);
    },
    fail: (status) => {
      failure = status;
    },
    close: async () => {
      await local.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const path = '/v1/credentials';

function newSecret(): string {
  return randomBytes(30).toString('base64url');
}
