/** The context of a service on ECS with all that it needs; nothing of it exists. */
export const serviceContext = {
  ecs: 'true',
  image: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/litellm-mlflow-sidecar:0.1.0',
  litellmSecret: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:litellm-AbCdEf',
  subnets: 'subnet-0123456789abcdef0, subnet-0123456789abcdef1',
  securityGroups: 'sg-0123456789abcdef0',
} as const;

/** What CloudFormation would fill in, by logical id and attribute. */
export const filledIn = {
  Bucket83908E77: 'the-bucket',
  'Bucket83908E77.Arn': 'arn:aws:s3:::the-bucket',
  'TrackingServer.TrackingServerArn':
    'arn:aws:sagemaker:eu-west-1:123456789012:mlflow-tracking-server/llm-calls',
  'App.Arn': 'arn:aws:sagemaker:eu-west-1:123456789012:mlflow-app/app-1',
  'AWS::AccountId': '123456789012',
  'AWS::Region': 'eu-west-1',
} as const;
