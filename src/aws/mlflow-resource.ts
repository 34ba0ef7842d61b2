import type { SignedEndpoint } from './sigv4.ts';

/** A resource of SageMaker's MLflow, as its ARN names it. */
export interface MlflowResource {
  arn: string;
  kind: 'mlflow-tracking-server' | 'mlflow-app';
  partition: string;
  region: string;
  /** 12 digits. */
  account: string;
  /** A tracking server's name, or an app's id, which is not its name. */
  id: string;
}

const arnForm =
  /^arn:([a-z-]+):sagemaker:([a-z0-9-]+):(\d{12}):(mlflow-tracking-server|mlflow-app)\/(.+)$/;

/** @throws Error for what is no such ARN; settings are checked for that before. */
export function mlflowResource(arn: string): MlflowResource {
  const [, partition, region, account, kind, id] = arnForm.exec(arn) ?? [];
  if (!partition || !region || !account || !id) throw new Error('no ARN of an MLflow resource');
  const isApp = kind === 'mlflow-app';
  return {
    arn,
    kind: isApp ? 'mlflow-app' : 'mlflow-tracking-server',
    partition,
    region,
    account,
    id,
  };
}

/**
 * The data plane of a resource, as Amazon's plugin `sagemaker-mlflow` 0.5.0 reaches it; the partitions
 * `aws` and `aws-us-gov` have the same host names. A header names the resource; without it the answer is
 * 500.
 *
 * @param custom Takes the place of the URL alone, as `SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT` does there.
 */
export function mlflowEndpoint(resource: MlflowResource, custom?: string): SignedEndpoint {
  const { arn, kind, region } = resource;
  if (kind === 'mlflow-app') {
    return {
      url: new URL(custom ?? `https://mlflow.sagemaker.${region}.app.aws`),
      region,
      service: 'sagemaker',
      headers: { 'x-sm-mlflow-app-arn': arn },
    };
  }
  return {
    url: new URL(custom ?? `https://${region}.experiments.sagemaker.aws`),
    region,
    service: 'sagemaker-mlflow',
    headers: { 'x-mlflow-sm-tracking-server-arn': arn },
  };
}
