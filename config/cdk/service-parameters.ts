import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ContextReader } from './read-context.ts';

/** What the ECS service is made from. */
export interface ServiceParameters {
  /** The sidecar's image, in a registry that the task can reach. */
  image: string;
  litellmImage: string;
  /** LiteLLM's configuration, as text. */
  litellmConfig: string;
  /**
   * The ARN of a secret in Secrets Manager whose JSON has a member for each variable that LiteLLM's
   * configuration takes, such as LITELLM_MASTER_KEY and OPENAI_API_KEY.
   */
  litellmSecret: string;
  subnets: readonly string[];
  securityGroups: readonly string[];
  /** Of a load balancer, by its ARN. */
  targetGroup?: string;
  /** Tasks, and so sidecars that divide what the server bears. */
  replicas: number;
  /** Of a task, in 1/1024 of a processor. */
  cpu: number;
  /** Of a task, in MiB. */
  memory: number;
  /** Whether `aws ecs execute-command` may open a shell in the containers. */
  exec: boolean;
}

export const serviceNames: readonly string[] = [
  ...['image', 'litellmImage', 'litellmConfig', 'litellmSecret', 'subnets', 'securityGroups'],
  ...['targetGroup', 'replicas', 'cpu', 'memory', 'exec'],
];

/** The memory in MiB that Fargate has for a number of CPU units: least, most. */
const memoryOf: Readonly<Record<string, readonly [least: number, most: number]>> = {
  '1024': [2048, 8192],
  '2048': [4096, 16384],
  '4096': [8192, 30720],
};

const image = /^[\w.-]+(:\d+)?(\/[\w.-]+)+(:[\w.-]+|@sha256:[0-9a-f]{64})$/;
const imageAllowed =
  'an image with its registry and a tag or digest, such as ghcr.io/berriai/litellm:v1.108.7';

/** Problems go to the reader. */
export function readService(read: ContextReader): ServiceParameters {
  const cpu = read.oneOf('cpu', ['1024', '2048', '4096'], '1024');
  const [least, most] = memoryOf[cpu] ?? [2048, 8192];
  const memory = read.whole('memory', least, most) ?? Math.max(4096, least);
  if (memory % 1024 !== 0) read.problems.push(`memory: ${memory} is not a multiple of 1024`);
  const targetGroup = read.text(
    'targetGroup',
    /^arn:[\w-]+:elasticloadbalancing:[\w-]+:\d{12}:targetgroup\/[\w-]+\/[0-9a-f]+$/,
    'the ARN of a target group',
  );
  return {
    image: read.needed('image', image, imageAllowed),
    litellmImage:
      read.text('litellmImage', image, imageAllowed) ?? 'ghcr.io/berriai/litellm:v1.108.7',
    litellmConfig: readConfig(read),
    litellmSecret: read.needed(
      'litellmSecret',
      /^arn:[\w-]+:secretsmanager:[\w-]+:\d{12}:secret:[\w/+=.@-]+-\w{6}$/,
      'the whole ARN of a secret, with the six characters at its end',
    ),
    subnets: read.list('subnets', /^subnet-[0-9a-f]{8,17}$/, 'the id of a subnet'),
    securityGroups: read.list(
      'securityGroups',
      /^sg-[0-9a-f]{8,17}$/,
      'the id of a security group',
    ),
    ...(targetGroup !== undefined && { targetGroup }),
    replicas: read.whole('replicas', 1, 100) ?? 1,
    cpu: Number(cpu),
    memory,
    exec: read.flag('exec'),
  };
}

/** What a template that is given to CloudFormation as it is (51,200 bytes) leaves for it. */
const mostConfigBytes = 16_000;

/** LiteLLM's configuration goes into the task definition; the path is from the folder of this file. */
function readConfig(read: ContextReader): string {
  const path = read.text('litellmConfig', /./, 'a path') ?? '../litellm.yaml';
  try {
    const config = readFileSync(resolve(import.meta.dirname, path), 'utf8');
    if (Buffer.byteLength(config) > mostConfigBytes) {
      read.problems.push(
        `litellmConfig: ${JSON.stringify(path)} is larger than ${mostConfigBytes} bytes; take comments out of it`,
      );
    }
    return config;
  } catch {
    read.problems.push(`litellmConfig: ${JSON.stringify(path)} cannot be read`);
    return '';
  }
}
