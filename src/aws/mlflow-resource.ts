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

/** A tracking server's name, as SageMaker's API has it; the ids of apps are of this form, too. */
export const trackingServerName = /^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}$/;

/**
 * Whether a region is one of Amazon's. Where nothing is asked of SageMaker, others do no harm: stores like
 * MinIO have names of their own, and a variable may hold `None`.
 */
export function isAwsRegion(region: string): boolean {
  return /^[a-z]{2}(-[a-z]+)+-\d+$/.test(region);
}

/** The resource that an ARN names, in whatever partition; `undefined` for what is no such ARN. */
export function parseMlflowArn(given: string): MlflowResource | undefined {
  const [arn, partition, region, account, kind, id] = arnForm.exec(given) ?? [];
  if (!arn || !partition || !region || !account || !id) return undefined;
  if (!isAwsRegion(region) || !trackingServerName.test(id)) return undefined;
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

/** @throws Error for what is no such ARN; settings are checked for that before. */
export function mlflowResource(arn: string): MlflowResource {
  const resource = parseMlflowArn(arn);
  if (resource === undefined) throw new Error('no ARN of an MLflow resource');
  return resource;
}

/** Whether it is known where the partition has its MLflow. */
export function hasMlflow(partition: string): boolean {
  return partition === 'aws' || partition === 'aws-us-gov';
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
