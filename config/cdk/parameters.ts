import { type Context, contextReader } from './read-context.ts';
import { readService, type ServiceParameters, serviceNames } from './service-parameters.ts';

/** What the stack is made from; each is a context value of the same name (`-c name=llm-calls`). */
export interface Parameters {
  /** Of the stack and of the tracking server or app. */
  name: string;
  kind: 'tracking-server' | 'app';
  /** Of a tracking server. */
  size: 'Small' | 'Medium' | 'Large';
  /** Of a tracking server, as three numbers; unset, the newest that SageMaker has when it is made. */
  mlflowVersion?: string;
  /** The day and hour of the weekly maintenance, in UTC: `Tue:03:30`. */
  maintenanceWindow?: string;
  /** Unset, CloudFormation makes one up. */
  bucketName?: string;
  /** The folder in the bucket below which everything lies. */
  prefix: string;
  /** Days after which the files of runs go, `call.json` and the calls tables; unset, never. */
  artifactDays?: number;
  /** Days after which the whole calls of the archive go; unset, never. */
  archiveDays?: number;
  /** Days that a deleted or replaced object is kept as an old version. */
  oldVersionDays: number;
  /** Days after which the parts of an upload that broke off go. */
  brokenUploadDays: number;
  /** Whether the sidecar may write traces that SageMaker takes one by one: `record.traces: on`. */
  traces: boolean;
  /** Whether operators may delete runs and traces (`prune`), and keep views (`links --columns`). */
  operatorWrite: boolean;
  /** LiteLLM and the sidecar on ECS, where that is wanted. */
  service?: ServiceParameters;
}

const own = [
  ...['name', 'kind', 'size', 'mlflowVersion', 'maintenanceWindow', 'bucketName', 'prefix'],
  ...[
    'artifactDays',
    'archiveDays',
    'oldVersionDays',
    'brokenUploadDays',
    'traces',
    'operatorWrite',
  ],
  'ecs',
];

/** The names of all parameters. */
export const parameterNames: readonly string[] = [...own, ...serviceNames];

/** The parameters, or what is wrong with them, a sentence each. */
export type ReadParameters =
  | { kind: 'valid'; parameters: Parameters }
  | { kind: 'invalid'; problems: readonly string[] };

/** Reads the context; CDK's own values, which have a `:`, an `@` or a `-` in their names, are left alone. */
export function readParameters(context: Context): ReadParameters {
  const read = contextReader(context);
  const kind = read.oneOf('kind', ['tracking-server', 'app'], 'tracking-server');
  const mlflowVersion = read.text('mlflowVersion', /^\d+\.\d+\.\d+$/, 'a version such as 3.0.0');
  const maintenanceWindow = read.text(
    'maintenanceWindow',
    /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun):([01]\d|2[0-3]):[0-5]\d$/,
    'a day and an hour in UTC, such as Tue:03:30',
  );
  const bucketName = read.text(
    'bucketName',
    /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/,
    'a name of 3 to 63 small letters, digits and hyphens',
  );
  const artifactDays = read.days('artifactDays');
  const archiveDays = read.days('archiveDays');
  const isService = read.flag('ecs');
  const service = isService ? readService(read) : undefined;
  const parameters: Parameters = {
    name:
      read.text(
        'name',
        /^[a-zA-Z](-?[a-zA-Z0-9]){0,49}$/,
        'up to 50 letters, digits and single hyphens, a letter first',
      ) ?? 'llm-calls',
    kind,
    size: read.oneOf('size', ['Small', 'Medium', 'Large'], 'Small'),
    ...(mlflowVersion !== undefined && { mlflowVersion }),
    ...(maintenanceWindow !== undefined && { maintenanceWindow }),
    ...(bucketName !== undefined && { bucketName }),
    prefix:
      read.text(
        'prefix',
        /^[\w.-]+(\/[\w.-]+)*$/,
        'a folder such as litellm or teams/payments, without a slash at either end',
      ) ?? 'litellm',
    ...(artifactDays !== undefined && { artifactDays }),
    ...(archiveDays !== undefined && { archiveDays }),
    oldVersionDays: read.days('oldVersionDays') ?? 30,
    brokenUploadDays: read.days('brokenUploadDays') ?? 7,
    traces: read.flag('traces'),
    operatorWrite: read.flag('operatorWrite'),
    ...(service !== undefined && { service }),
  };
  if (kind === 'app') read.unused(['size', 'mlflowVersion'], 'an app has none');
  if (!isService) read.unused(serviceNames, 'it counts only with ecs=true');
  read.unknown(parameterNames);
  return read.problems.length === 0
    ? { kind: 'valid', parameters }
    : { kind: 'invalid', problems: read.problems };
}
