import { Aws, BootstraplessSynthesizer, CfnOutput, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { makeCallsTable } from './calls-table.ts';
import type { Parameters } from './parameters.ts';
import { makeService } from './service.ts';
import { makeStorage } from './storage.ts';
import { makeTracking } from './tracking.ts';

/**
 * A bucket, an MLflow of SageMaker, the policies, a table for Athena and, where it is wanted, LiteLLM
 * with the sidecar on ECS. It has no assets, so that the account needs no `cdk bootstrap`, and the
 * template can be given to CloudFormation as it is.
 */
export function makeStack(scope: Construct, parameters: Parameters): Stack {
  const { name } = parameters;
  const stack = new Stack(scope, name, {
    description: `Records of the calls of a LiteLLM Proxy in the MLflow ${name}`,
    synthesizer: new BootstraplessSynthesizer(),
    // Deleting it would delete what MLflow holds.
    terminationProtection: true,
    analyticsReporting: false,
  });
  const storage = makeStorage(stack, parameters);
  const { mlflowArn, sidecarPolicy, operatorPolicy } = makeTracking(stack, parameters, storage);
  const archiveUri = `s3://${storage.bucket.bucketName}/${storage.archivePrefix}`;
  const table = makeCallsTable(stack, name, archiveUri);
  const sidecarEnvironment = {
    MLFLOW_TRACKING_URI: mlflowArn,
    AWS_REGION: Aws.REGION,
    SIDECAR_ARCHIVE_URI: archiveUri,
  };

  const output = (id: string, value: string, description: string) =>
    new CfnOutput(stack, id, { value, description });
  output('MlflowTrackingUri', mlflowArn, 'MLFLOW_TRACKING_URI');
  output('AwsRegion', Aws.REGION, 'AWS_REGION');
  output('SidecarArchiveUri', archiveUri, 'SIDECAR_ARCHIVE_URI');
  const lines = Object.entries(sidecarEnvironment).map(([key, value]) => `${key}=${value}`);
  output('SidecarEnvironment', lines.join('\n'), 'All three, as lines of a .env file');
  output('SidecarPolicyArn', sidecarPolicy.ref, "For the sidecar's own role");
  output('OperatorPolicyArn', operatorPolicy.ref, 'For people who look after it');
  output('BucketName', storage.bucket.bucketName, 'Artifacts and archive');
  output('AthenaTable', table, 'The archive in Athena');
  if (parameters.service !== undefined) {
    const service = makeService(stack, parameters.service, {
      name,
      sidecarPolicy,
      sidecarEnvironment,
    });
    output('ServiceName', service.name, 'LiteLLM and the sidecar on ECS');
    output(
      'TaskRoleArn',
      service.taskRoleArn,
      'For what else LiteLLM does in AWS, such as Bedrock',
    );
  }
  return stack;
}
