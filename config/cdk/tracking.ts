import { type CfnResource, RemovalPolicy } from 'aws-cdk-lib';
import { CfnManagedPolicy, CfnRole } from 'aws-cdk-lib/aws-iam';
import { CfnMlflowApp, CfnMlflowTrackingServer } from 'aws-cdk-lib/aws-sagemaker';
import type { Construct } from 'constructs';
import type { Parameters } from './parameters.ts';
import { type Places, policyOf, trustOf } from './policies.ts';
import type { Storage } from './storage.ts';

/** The MLflow, and who may do what with it. */
export interface Tracking {
  mlflowArn: string;
  sidecarPolicy: CfnManagedPolicy;
  operatorPolicy: CfnManagedPolicy;
}

/**
 * What holds the records, and what it needs for that: a deployment that forgets a parameter, such as
 * `kind`, must not delete it.
 */
function kept<Resource extends CfnResource>(resource: Resource): Resource {
  resource.applyRemovalPolicy(RemovalPolicy.RETAIN);
  return resource;
}

export function makeTracking(
  scope: Construct,
  parameters: Parameters,
  { bucket, artifactPrefix }: Storage,
): Tracking {
  const { name, kind, prefix, size, mlflowVersion, maintenanceWindow } = parameters;
  const places: Places = { mlflowArn: '', kind, bucketArn: bucket.bucketArn, prefix };
  // The policy is a part of the role, so that MLflow is never made before it.
  const role = kept(
    new CfnRole(scope, 'ExecutionRole', {
      description: `What the MLflow ${name} may do: keep its artifacts`,
      assumeRolePolicyDocument: trustOf('execution-role-trust'),
      policies: [
        {
          policyName: 'artifacts',
          policyDocument: policyOf(['execution-role'], { ...places, prefix: artifactPrefix }),
        },
      ],
    }),
  );
  const common = {
    artifactStoreUri: `s3://${bucket.bucketName}/${artifactPrefix}`,
    roleArn: role.attrArn,
    ...(maintenanceWindow !== undefined && { weeklyMaintenanceWindowStart: maintenanceWindow }),
  };
  const makeApp = () => new CfnMlflowApp(scope, 'App', { name, ...common });
  const makeServer = () =>
    new CfnMlflowTrackingServer(scope, 'TrackingServer', {
      trackingServerName: name,
      trackingServerSize: size,
      ...(mlflowVersion !== undefined && { mlflowVersion }),
      ...common,
    });
  const mlflowArn =
    kind === 'app' ? kept(makeApp()).attrArn : kept(makeServer()).attrTrackingServerArn;
  const policy = (id: string, description: string, files: readonly string[]) =>
    new CfnManagedPolicy(scope, id, {
      description,
      policyDocument: policyOf(files, { ...places, mlflowArn }),
    });
  // An app has one permission for all.
  const more = (isWanted: boolean, file: string) =>
    isWanted && kind === 'tracking-server' ? [file] : [];
  return {
    mlflowArn,
    sidecarPolicy: policy('SidecarPolicy', `The sidecar of ${name}: record calls, and no more`, [
      `sidecar-${kind}`,
      ...more(parameters.traces, 'traces'),
    ]),
    operatorPolicy: policy('OperatorPolicy', `People who look after the MLflow ${name}`, [
      'operator',
      ...more(parameters.operatorWrite, 'operator-write'),
    ]),
  };
}
