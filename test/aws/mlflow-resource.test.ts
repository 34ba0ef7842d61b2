import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mlflowEndpoint, mlflowResource } from '../../src/aws/mlflow-resource.ts';

const server = 'arn:aws:sagemaker:eu-west-1:111122223333:mlflow-tracking-server/llm-calls';
const app = 'arn:aws:sagemaker:us-east-1:111122223333:mlflow-app/app-7BMBBX3TS2CZ';

test('an ARN names kind, partition, region, account and id', () => {
  assert.deepEqual(mlflowResource(server), {
    arn: server,
    kind: 'mlflow-tracking-server',
    partition: 'aws',
    region: 'eu-west-1',
    account: '111122223333',
    id: 'llm-calls',
  });
  const { kind, id } = mlflowResource(app);
  assert.deepEqual([kind, id], ['mlflow-app', 'app-7BMBBX3TS2CZ']);
  const gov = mlflowResource(server.replace('aws:', 'aws-us-gov:').replace('eu-', 'us-gov-'));
  assert.deepEqual([gov.partition, gov.region], ['aws-us-gov', 'us-gov-west-1']);
});

for (const wrong of [
  '',
  'https://mlflow.example',
  'arn:aws:sagemaker:eu-west-1:111122223333:endpoint/x',
  'arn:aws:sagemaker:eu-west-1:1111:mlflow-app/x',
  'arn:aws:sagemaker:eu-west-1:111122223333:mlflow-app/',
  ` ${server}`,
]) {
  test(`"${wrong}" is no ARN of an MLflow resource`, () => {
    assert.throws(() => mlflowResource(wrong), /no ARN of an MLflow resource/);
  });
}

/** As Amazon's plugin `sagemaker-mlflow` 0.5.0 has them. */
for (const [arn, url, service, header] of [
  [
    server,
    'https://eu-west-1.experiments.sagemaker.aws/',
    'sagemaker-mlflow',
    'x-mlflow-sm-tracking-server-arn',
  ],
  [app, 'https://mlflow.sagemaker.us-east-1.app.aws/', 'sagemaker', 'x-sm-mlflow-app-arn'],
  [
    'arn:aws-us-gov:sagemaker:us-gov-east-1:111122223333:mlflow-tracking-server/s',
    'https://us-gov-east-1.experiments.sagemaker.aws/',
    'sagemaker-mlflow',
    'x-mlflow-sm-tracking-server-arn',
  ],
] as const) {
  test(`requests for ${arn} have a host, a service and a header`, () => {
    const endpoint = mlflowEndpoint(mlflowResource(arn));
    assert.equal(endpoint.url.href, url);
    assert.equal(endpoint.service, service);
    assert.equal(endpoint.region, arn.split(':')[3]);
    assert.deepEqual(endpoint.headers, { [header]: arn });
  });

  test(`another endpoint for ${arn} changes the URL alone`, () => {
    const usual = mlflowEndpoint(mlflowResource(arn));
    const custom = mlflowEndpoint(mlflowResource(arn), 'https://vpce.example/prefix');
    assert.deepEqual(custom, { ...usual, url: new URL('https://vpce.example/prefix') });
  });
}
