import { mlflowEndpoint, mlflowResource } from '../../src/aws/mlflow-resource.ts';
import { createServerClock } from '../../src/aws/server-clock.ts';
import { createSigV4 } from '../../src/aws/sigv4.ts';
import type { HttpOptions } from '../../src/mlflow/http-transport.ts';
import type { SagemakerStack } from './sagemaker-stack.ts';

/** How the sidecar's own transport gets to an MLflow. */
export type Way = Pick<HttpOptions, 'url' | 'authorize'>;

/** The way through an edge, signed by the access keys of its environment. */
export function signedWay({ arn, edge, environment }: SagemakerStack): Way {
  const credentials = {
    accessKeyId: environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'] ?? '',
    sessionToken: environment['AWS_SESSION_TOKEN'] ?? '',
    source: 'the test',
  };
  const source = { current: async () => credentials, renew: async () => false };
  const endpoint = mlflowEndpoint(mlflowResource(arn), edge.url);
  const authorize = createSigV4(endpoint, source, createServerClock(Date.now));
  return { url: endpoint.url, authorize };
}
