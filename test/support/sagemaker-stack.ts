import { randomBytes } from 'node:crypto';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { grantedBy } from './iam-policy.ts';
import { type MlflowServer, type MlflowServerOptions, startMlflow } from './mlflow-server.ts';
import { type MotoServer, startMoto } from './moto-server.ts';
import { plantedSecret } from './planted.ts';
import { type ControlPlane, startControlPlane } from './sagemaker-control-plane/control-plane.ts';
import type { AccessKey } from './sagemaker-edge/access-keys.ts';
import { type SagemakerEdge, startSagemakerEdge } from './sagemaker-edge/edge.ts';
import type { ResourceKind } from './sagemaker-edge/resource.ts';
import type { Rate } from './sagemaker-edge/token-bucket.ts';

/** MLflow as SageMaker runs it: clients put artifacts into a bucket by themselves. */
export interface ManagedMlflow extends MlflowServer {
  readonly moto: MotoServer;
}

/** The release that SageMaker's newest tracking servers run. */
export const managedRelease = '3.0.1';
export const bucket = 'artifacts';

/** @param options `moto`: an S3 that is there already, and stays. */
export async function startManagedMlflow(
  options: MlflowServerOptions & { readonly moto?: MotoServer } = {},
): Promise<ManagedMlflow> {
  const moto = options.moto ?? (await startMoto());
  const closeOwn = async () => {
    if (options.moto === undefined) await moto.close();
  };
  try {
    if (options.moto === undefined) await moto.makeBucket(bucket);
    const mlflow = await startMlflow({
      version: managedRelease,
      artifactRoot: `s3://${bucket}/mlflow`,
      environment: moto.environment,
      ...options,
    });
    const close = async () => {
      await mlflow.close();
      await closeOwn();
    };
    return { ...mlflow, moto, close };
  } catch (error) {
    await closeOwn();
    throw error;
  }
}

export interface SagemakerStackOptions {
  /** Where MLflow is. */
  readonly url: string;
  /** Its S3, STS and instance metadata. */
  readonly moto: Pick<MotoServer, 'url' | 'environment'>;
  readonly kind?: ResourceKind;
  /** More policies of `config/iam` that the access keys have, by name. */
  readonly policies?: readonly string[];
  /** What the edge lets through: as much as comes, unless told. */
  readonly rate?: Rate;
  /** The size of the tracking server; Small unless told. */
  readonly size?: 'Small' | 'Medium' | 'Large';
}

/** What stands before one managed MLflow: client, edge, proxy, MLflow; and client, proxy, S3. */
export interface SagemakerStack {
  readonly arn: string;
  /** The ARNs that the edge knows; others may be added, and these taken away. */
  readonly resources: string[];
  readonly edge: SagemakerEdge;
  /** Harms what passes between the edge and MLflow, and between a client and S3. */
  readonly proxy: FaultProxy;
  readonly controlPlane: ControlPlane;
  /** Points a program to it, with access keys that may do what `config/iam` grants a sidecar, and no more. */
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** The name of the tracking server that there is. */
export const serverName = 'logs';

/** Puts a SageMaker of its own before a managed MLflow, which several may share. */
export async function startSagemakerStack(options: SagemakerStackOptions): Promise<SagemakerStack> {
  const { url, moto, kind = 'tracking-server', rate = unlimited, size = 'Small' } = options;
  const { policies = [] } = options;
  const accessKeyId = `ASIA${randomBytes(8).toString('hex').toUpperCase()}`;
  const key: AccessKey = {
    secretAccessKey: `${plantedSecret}${randomBytes(20).toString('base64')}`,
    sessionToken: `${plantedSecret}${randomBytes(60).toString('base64')}`,
    allowed: grantedBy(`sidecar-${kind}`, ...policies),
  };
  const credentials = (id: string) => (id === accessKeyId ? key : undefined);
  const controlPlane = await startControlPlane({ credentials });
  const arn =
    kind === 'app'
      ? controlPlane.addApp(serverName)
      : controlPlane.addTrackingServer(serverName, { TrackingServerSize: size });
  const resources = [arn];
  const proxy = await startFaultProxy(url, moto.url);
  const edge = await startSagemakerEdge({ mlflow: proxy.url, resources, credentials, rate });
  return {
    arn,
    resources,
    edge,
    proxy,
    controlPlane,
    environment: {
      ...moto.environment,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
      AWS_SESSION_TOKEN: key.sessionToken ?? '',
      AWS_ENDPOINT_URL_S3: proxy.url,
      AWS_ENDPOINT_URL_SAGEMAKER: controlPlane.url,
      SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT: edge.url,
    },
    close: async () => {
      await edge.close();
      await proxy.close();
      await controlPlane.close();
    },
  };
}

const unlimited: Rate = { perSecond: 10_000, burst: 10_000 };
