import { Aws, Duration } from 'aws-cdk-lib';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { ServiceParameters } from './service-parameters.ts';

/** What the service needs of the rest of the stack. */
export interface ServiceDeps {
  name: string;
  sidecarPolicy: iam.CfnManagedPolicy;
  /** The sidecar's settings that the stack's outputs name. */
  sidecarEnvironment: Readonly<Record<string, string>>;
}

export interface MadeService {
  name: string;
  /** For what else LiteLLM has to do in AWS, such as asking models on Bedrock. */
  taskRoleArn: string;
}

/** The longest that Fargate waits between SIGTERM and SIGKILL. */
const stopTimeout = Duration.seconds(120);

/** LiteLLM's image has Python and no curl. */
const litellmHealth =
  "import urllib.request as r; r.urlopen('http://127.0.0.1:4000/health/readiness', timeout=5)";

/** As the image's own health check, which ECS does not look at. */
const sidecarHealth =
  "fetch('http://127.0.0.1:4100/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))";

/**
 * LiteLLM and the sidecar, two containers of a Fargate task: the sidecar is healthy before LiteLLM
 * starts, gets its SIGTERM when LiteLLM has ended, and its failure does not end LiteLLM. A task's disk
 * goes with the task, so a stop sends all that is pending in chunks first.
 */
export function makeService(
  scope: Construct,
  given: ServiceParameters,
  deps: ServiceDeps,
): MadeService {
  const task = new ecs.FargateTaskDefinition(scope, 'Task', {
    family: deps.name,
    cpu: given.cpu,
    memoryLimitMiB: given.memory,
    taskRole: makeTaskRole(scope, given, deps),
    volumes: [{ name: 'journal' }],
  });
  const logGroup = new logs.LogGroup(scope, 'Logs', { retention: logs.RetentionDays.ONE_MONTH });
  const logging = (streamPrefix: string) => ecs.LogDrivers.awsLogs({ logGroup, streamPrefix });
  const token = new Secret(scope, 'Token', {
    description: `What LiteLLM sends to the sidecar of ${deps.name}`,
    generateSecretString: { passwordLength: 48, excludePunctuation: true },
  });
  const tokenSecret = { SIDECAR_AUTH_TOKEN: ecs.Secret.fromSecretsManager(token) };

  const sidecar = task.addContainer('sidecar', {
    image: imageOf(scope, 'SidecarImage', given.image),
    essential: false,
    // 78: wrong settings, which a restart does not mend.
    enableRestartPolicy: true,
    restartIgnoredExitCodes: [0, 78],
    restartAttemptPeriod: Duration.seconds(60),
    memoryLimitMiB: 1024,
    environment: {
      ...deps.sidecarEnvironment,
      // Containers of a task share its loopback; nobody else gets at it.
      SIDECAR_HOST: '127.0.0.1',
      SIDECAR_JOURNAL_EPHEMERAL: 'true',
      // Less than the container has to stop.
      SIDECAR_SHUTDOWN_GRACE: '110s',
      SIDECAR_REPLICAS: String(given.replicas),
    },
    secrets: tokenSecret,
    healthCheck: {
      command: ['CMD', 'node', '-e', sidecarHealth],
      interval: Duration.seconds(10),
      timeout: Duration.seconds(5),
      retries: 3,
      startPeriod: Duration.seconds(60),
    },
    stopTimeout,
    logging: logging('sidecar'),
  });
  // The image's VOLUME of the same path gives the empty volume its owner.
  sidecar.addMountPoints({
    sourceVolume: 'journal',
    containerPath: '/var/lib/litellm-mlflow',
    readOnly: false,
  });

  const litellm = task.addContainer('litellm', {
    image: imageOf(scope, 'LitellmImage', given.litellmImage),
    entryPoint: ['sh', '-c'],
    command: [
      'printf %s "$LITELLM_CONFIG" > /tmp/config.yaml && exec litellm --config /tmp/config.yaml --port 4000',
    ],
    environment: {
      LITELLM_CONFIG: given.litellmConfig,
      SIDECAR_EVENTS_URL: 'http://127.0.0.1:4100/v1/events',
      DEFAULT_FLUSH_INTERVAL_SECONDS: '1',
    },
    secrets: { ...tokenSecret, ...litellmSecrets(scope, given) },
    portMappings: [{ containerPort: 4000 }],
    healthCheck: {
      command: ['CMD', 'python3', '-c', litellmHealth],
      interval: Duration.seconds(10),
      timeout: Duration.seconds(10),
      retries: 3,
      startPeriod: Duration.seconds(90),
    },
    stopTimeout,
    logging: logging('litellm'),
  });
  litellm.addContainerDependencies({
    container: sidecar,
    condition: ecs.ContainerDependencyCondition.HEALTHY,
  });

  const cluster = new ecs.CfnCluster(scope, 'Cluster', {});
  const { targetGroup } = given;
  const service = new ecs.CfnService(scope, 'Service', {
    cluster: cluster.attrArn,
    taskDefinition: task.taskDefinitionArn,
    launchType: 'FARGATE',
    desiredCount: given.replicas,
    enableExecuteCommand: given.exec,
    deploymentConfiguration: {
      minimumHealthyPercent: 100,
      maximumPercent: 200,
      deploymentCircuitBreaker: { enable: true, rollback: true },
    },
    networkConfiguration: {
      awsvpcConfiguration: {
        subnets: [...given.subnets],
        securityGroups: [...given.securityGroups],
      },
    },
    ...(targetGroup !== undefined && {
      loadBalancers: [
        { containerName: 'litellm', containerPort: 4000, targetGroupArn: targetGroup },
      ],
      healthCheckGracePeriodSeconds: 180,
    }),
  });
  // The roles' policies are resources of their own; a task that starts before them is refused.
  service.node.addDependency(task.obtainExecutionRole(), task.taskRole);
  return { name: service.attrName, taskRoleArn: task.taskRole.roleArn };
}

function makeTaskRole(scope: Construct, { exec }: ServiceParameters, deps: ServiceDeps): iam.Role {
  const role = new iam.Role(scope, 'TaskRole', {
    description: `LiteLLM and the sidecar of ${deps.name}`,
    assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
    }),
    managedPolicies: [
      iam.ManagedPolicy.fromManagedPolicyArn(scope, 'TaskPolicy', deps.sidecarPolicy.ref),
    ],
  });
  if (exec) {
    const channels = ['CreateControl', 'CreateData', 'OpenControl', 'OpenData'];
    role.addToPolicy(
      new iam.PolicyStatement({
        actions: channels.map((channel) => `ssmmessages:${channel}Channel`),
        resources: ['*'],
      }),
    );
  }
  return role;
}

/** An image; of one in ECR the task may read that repository. */
function imageOf(scope: Construct, id: string, name: string): ecs.ContainerImage {
  const form = /^(\d{12})\.dkr\.ecr\.([\w-]+)\.amazonaws\.com\/([\w./-]+)[:@](.+)$/;
  const [, account, region, repositoryName, tag] = form.exec(name) ?? [];
  if (account === undefined || repositoryName === undefined) {
    return ecs.ContainerImage.fromRegistry(name);
  }
  const repository = ecr.Repository.fromRepositoryAttributes(scope, id, {
    repositoryName,
    repositoryArn: `arn:${Aws.PARTITION}:ecr:${region}:${account}:repository/${repositoryName}`,
  });
  return ecs.ContainerImage.fromEcrRepository(repository, tag);
}

/** A secret for each variable that LiteLLM's configuration takes and the sidecar does not give. */
function litellmSecrets(scope: Construct, given: ServiceParameters): Record<string, ecs.Secret> {
  const { litellmSecret, litellmConfig } = given;
  const secret = Secret.fromSecretCompleteArn(scope, 'LitellmSecret', litellmSecret);
  const lines = litellmConfig.split('\n').filter((line) => !line.trimStart().startsWith('#'));
  const names = [...lines.join('\n').matchAll(/os\.environ\/(\w+)/g)].map(([, name = '']) => name);
  return Object.fromEntries(
    [...new Set(names)]
      .filter((name) => !name.startsWith('SIDECAR_'))
      .map((name) => [name, ecs.Secret.fromSecretsManager(secret, name)]),
  );
}
