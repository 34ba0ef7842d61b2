import type { TestContext } from 'node:test';
import { type Front, isBehindSagemaker, startFront } from './front.ts';
import { keepArtifact, type MinimalMlflow, startMinimalMlflow } from './minimal-mlflow.ts';
import { bucket } from './sagemaker-stack.ts';
import { startSmallS3 } from './small-s3.ts';

/** A minimal MLflow, and how a sidecar gets there. */
export interface MinimalFront extends Pick<Front, 'proxy' | 'trackingUri' | 'environment'> {
  readonly mlflow: MinimalMlflow;
}

/**
 * The minimal MLflow of a suite that holds for any: behind SageMaker's edge, with an S3 for its
 * artifacts, where `MLFLOW_BEHIND` is `sagemaker`. Its runs have their artifacts, wherever these went.
 */
export async function startMinimalFront(t: TestContext): Promise<MinimalFront> {
  const mlflow = await startMinimalMlflow(t);
  const { url } = mlflow;
  const front = await startFront(
    isBehindSagemaker ? { url, moto: await s3Of(t, mlflow) } : { url },
  );
  t.after(front.close);
  return { ...front, mlflow };
}

/** S3 alone; nothing tells whose the access keys are. */
async function s3Of(t: TestContext, mlflow: MinimalMlflow) {
  mlflow.artifactRoot = `s3://${bucket}/mlflow/`;
  const { url } = await startSmallS3(t, (path, body) => keepArtifact(mlflow, path, body));
  const environment = { AWS_ENDPOINT_URL_STS: 'http://127.0.0.1:9', AWS_REGION: 'eu-west-1' };
  return { url, environment };
}
