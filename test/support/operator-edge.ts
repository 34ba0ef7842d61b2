import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { startSagemakerEdge } from './sagemaker-edge/edge.ts';

interface Policy {
  readonly Statement: readonly { readonly Action: string | readonly string[] }[];
}

export type OperatorPolicy = 'operator' | 'operator-write';

/** The actions that policies of `config/iam` grant people. */
export function operatorActions(...policies: readonly OperatorPolicy[]): string[] {
  return policies.flatMap((name) => {
    const policy: Policy = JSON.parse(readFileSync(`config/iam/${name}.json`, 'utf8'));
    return policy.Statement.flatMap(({ Action }) => Action);
  });
}

const arn = 'arn:aws:sagemaker:eu-west-1:111122223333:mlflow-tracking-server/logs';

/** SageMaker's edge before an MLflow, until the test ends, and the environment of who may do what these policies grant. */
export async function startOperatorEdge(
  t: TestContext,
  mlflow: string,
  ...policies: readonly OperatorPolicy[]
) {
  const edge = await startSagemakerEdge({
    mlflow,
    resources: [arn],
    credentials: (id) =>
      id === 'ASIAOPERATOR'
        ? { secretAccessKey: 's', sessionToken: 't', allowed: operatorActions(...policies) }
        : undefined,
    rate: { perSecond: 10_000, burst: 10_000 },
  });
  t.after(() => edge.close());
  const env = {
    ...{ AWS_ACCESS_KEY_ID: 'ASIAOPERATOR', AWS_SECRET_ACCESS_KEY: 's', AWS_SESSION_TOKEN: 't' },
    MLFLOW_TRACKING_URI: arn,
    SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT: edge.url,
    // Its size is asked for beside all else; nobody answers.
    AWS_ENDPOINT_URL_SAGEMAKER: 'http://127.0.0.1:9',
  };
  return { edge, env };
}
