import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  GetObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3';
import { startChild } from './child.ts';
import { freePort } from './free-port.ts';
import { pythonEnv } from './python-env.ts';
import { serverEnvironment } from './server-environment.ts';

/** S3, STS and IMDS of it; all of moto (`moto[server]`) would be twice as large and slow to install. */
export const motoPins: readonly string[] = [
  'moto[s3,sts]==5.2.5',
  ...['flask==3.1.3', 'flask-cors==6.0.5'],
];

/** A role that somebody has assumed, with the credentials that STS gave for it. */
export interface AssumedRole {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly roleArn: string;
  readonly sessionName: string;
  readonly externalId: string | undefined;
}

export interface MotoServer {
  readonly url: string;
  /** Points a program's S3, STS and instance metadata to it, with access keys that S3 takes. */
  readonly environment: Readonly<Record<string, string>>;
  /** A client of its S3; bucket names go into the path. */
  readonly s3: S3Client;
  makeBucket(name: string): Promise<void>;
  /** The keys and contents of a bucket's objects. */
  objects(bucket: string, prefix?: string): Promise<Map<string, Buffer>>;
  /** Every role that was assumed, in order. */
  assumedRoles(): Promise<AssumedRole[]>;
  close(): Promise<void>;
}

/**
 * moto at 127.0.0.1: S3, STS and the instance metadata service, none of which looks at signatures.
 * Instance metadata hands out `test-key`, `test-secret-key` and `test-session-token` for a day.
 */
export async function startMoto(
  options: { readonly progress?: (line: string) => void } = {},
): Promise<MotoServer> {
  const env = await pythonEnv(motoPins, options);
  const dir = await mkdtemp(join(tmpdir(), 'moto-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = await startChild({
    name: 'moto',
    command: env.python,
    args: ['-m', 'moto.server', '--host', '127.0.0.1', '--port', String(port)],
    env: serverEnvironment(env, {}),
    cwd: dir,
    logFile: join(dir, 'moto.log'),
    ready: { url: `${url}/moto-api/data.json` },
  });

  const s3 = new S3Client({
    endpoint: url,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  return {
    url,
    environment: {
      AWS_ENDPOINT_URL_S3: url,
      AWS_ENDPOINT_URL_STS: url,
      AWS_EC2_METADATA_SERVICE_ENDPOINT: url,
      // MLflow's own name for it, which makes its client put bucket names into the path.
      MLFLOW_S3_ENDPOINT_URL: url,
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    },
    s3,
    makeBucket: async (name) => {
      const CreateBucketConfiguration = { LocationConstraint: region };
      await s3.send(new CreateBucketCommand({ Bucket: name, CreateBucketConfiguration }));
    },
    objects: async (bucket, prefix = '') => {
      const found = new Map<string, Buffer>();
      const pages = paginateListObjectsV2({ client: s3 }, { Bucket: bucket, Prefix: prefix });
      for await (const { Contents = [] } of pages) {
        for (const { Key = '' } of Contents) {
          const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
          found.set(Key, Buffer.from((await Body?.transformToByteArray()) ?? []));
        }
      }
      return found;
    },
    assumedRoles: async () => {
      const response = await fetch(`${url}/moto-api/data.json`);
      const { sts } = (await response.json()) as MotoData;
      return (sts?.AssumedRole ?? []).map((role) => ({
        accessKeyId: role.access_key_id,
        secretAccessKey: role.secret_access_key,
        sessionToken: role.session_token,
        roleArn: role.role_arn,
        sessionName: role.session_name,
        externalId: role.external_id ?? undefined,
      }));
    },
    close: async () => {
      s3.destroy();
      await child.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

const region: BucketLocationConstraint = 'eu-west-1';
const accessKeyId = 'AKIAMOTO';
const secretAccessKey = 'moto';

/** What moto tells of itself; services that nobody used are absent. */
interface MotoData {
  readonly sts?: {
    readonly AssumedRole: readonly {
      readonly access_key_id: string;
      readonly secret_access_key: string;
      readonly session_token: string;
      readonly role_arn: string;
      readonly session_name: string;
      readonly external_id: string | null;
    }[];
  };
}
