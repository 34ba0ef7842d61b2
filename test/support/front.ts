import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { type MlflowServer, type MlflowServerOptions, startMlflow } from './mlflow-server.ts';
import type { MotoServer } from './moto-server.ts';
import {
  type SagemakerStack,
  type SagemakerStackOptions,
  startManagedMlflow,
  startSagemakerStack,
} from './sagemaker-stack.ts';

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
  return process.env['MLFLOW_BEHIND'] === 'sagemaker'
    ? startManagedMlflow({ ...plain, ...(moto !== undefined && { moto }) })
    : startMlflow(plain);
}

/** What stands before an MLflow, and how a sidecar gets there. */
export interface Front {
  /** Harms what passes. */
  readonly proxy: FaultProxy;
  readonly trackingUri: string;
  /** For the sidecar. */
  readonly environment: Readonly<Record<string, string>>;
  /** Of a managed MLflow. */
  readonly sagemaker?: SagemakerStack;
  close(): Promise<void>;
}

export type FrontOptions = Pick<SagemakerStackOptions, 'kind' | 'rate' | 'size'>;

/** A proxy before an MLflow; before a managed one SageMaker's edge, and the proxy behind it. */
export async function startFront(
  { url, moto }: Pick<SuiteMlflow, 'url' | 'moto'>,
  options: FrontOptions = {},
): Promise<Front> {
  if (moto === undefined) {
    const proxy = await startFaultProxy(url);
    return { proxy, trackingUri: proxy.url, environment: {}, close: proxy.close };
  }
  const sagemaker = await startSagemakerStack({ url, moto, ...options });
  const { proxy, arn, environment, close } = sagemaker;
  return {
    proxy,
    trackingUri: arn,
    // As fast as it answers, like any other MLflow.
    environment: { ...environment, SIDECAR_REQUESTS_PER_SECOND: '1000' },
    sagemaker,
    close,
  };
}
