import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { type MlflowServer, type MlflowServerOptions, startMlflow } from './mlflow-server.ts';
import type { MotoServer } from './moto-server.ts';
import {
  type SagemakerStack,
  type SagemakerStackOptions,
  startManagedMlflow,
  startSagemakerStack,
} from './sagemaker-stack.ts';
import { signedWay, type Way } from './signed-transport.ts';

/** Whether a suite that holds for any MLflow runs against those that SageMaker manages. */
export const isBehindSagemaker = process.env['MLFLOW_BEHIND'] === 'sagemaker';

/** An MLflow server; with an S3 beside it, it is one that SageMaker manages. */
export interface SuiteMlflow extends MlflowServer {
  readonly moto?: MotoServer;
}

/**
 * The MLflow of a suite that holds for any: one that SageMaker manages where `MLFLOW_BEHIND` is
 * `sagemaker`, and a plain one otherwise.
 */
export function startSuiteMlflow(
  options: MlflowServerOptions & { readonly moto?: MotoServer | undefined } = {},
): Promise<SuiteMlflow> {
  const { moto, ...plain } = options;
  return isBehindSagemaker
    ? startManagedMlflow({ ...plain, ...(moto !== undefined && { moto }) })
    : startMlflow(plain);
}

/** What stands before an MLflow, and how a sidecar gets there. */
export interface Front {
  /** Harms what passes. */
  readonly proxy: FaultProxy;
  readonly trackingUri: string;
  /** How a transport without a sidecar gets there. */
  readonly way: Way;
  /** For the sidecar. */
  readonly environment: Readonly<Record<string, string>>;
  /** Of a managed MLflow. */
  readonly sagemaker?: SagemakerStack;
  close(): Promise<void>;
}

/** What a front is put before; with an S3 beside it, it is managed. */
export type Fronted = Pick<SuiteMlflow, 'url'> & { readonly moto?: SagemakerStackOptions['moto'] };

export type FrontOptions = Pick<SagemakerStackOptions, 'kind' | 'rate' | 'size' | 'policies'>;

/** A proxy before an MLflow; before a managed one SageMaker's edge, and the proxy behind it. */
export async function startFront(
  { url, moto }: Fronted,
  options: FrontOptions = {},
): Promise<Front> {
  if (moto === undefined) {
    const proxy = await startFaultProxy(url);
    const way = { url: new URL(proxy.url) };
    return { proxy, trackingUri: proxy.url, way, environment: {}, close: proxy.close };
  }
  const sagemaker = await startSagemakerStack({ url, moto, ...options });
  const { proxy, arn, environment, close } = sagemaker;
  return {
    proxy,
    trackingUri: arn,
    way: signedWay(sagemaker),
    // As fast as it answers, like any other MLflow.
    environment: { ...environment, SIDECAR_REQUESTS_PER_SECOND: '1000' },
    sagemaker,
    close,
  };
}
