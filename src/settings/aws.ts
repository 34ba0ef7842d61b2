import { z } from 'zod';
import { hasMlflow, parseMlflowArn } from '../aws/mlflow-resource.ts';
import { duration, oneOf, text } from './units.ts';

/*
 * What concerns Amazon alone: who asks, where, and where artifacts go.
 */

const destinationAllowed =
  'a URL that begins with http:// or https://, or the ARN of an mlflow-tracking-server or mlflow-app in the partition aws or aws-us-gov';

/** Where MLflow is: its URL, or the ARN of one of SageMaker's. */
export const trackingUri = z.string(destinationAllowed).superRefine((given, context) => {
  if (isArn(given) || z.url({ protocol: /^https?$/ }).safeParse(given).success) return;
  const message =
    parseMlflowArn(given) === undefined
      ? destinationAllowed
      : "an ARN of the partition aws or aws-us-gov: in others SageMaker's MLflow is not reached";
  context.addIssue({ code: 'custom', message });
});

/** Whether it is the ARN of an MLflow that can be reached. */
export function isArn(given: string): boolean {
  const resource = parseMlflowArn(given);
  return resource !== undefined && hasMlflow(resource.partition);
}

const roleArn = z
  .string('the ARN of a role')
  .regex(/^arn:aws(-us-gov)?:iam::\d{12}:role\/[\w+=,.@/-]+$/, 'the ARN of a role');

/** Names that STS takes for sessions and identities. */
const stsName = (what: string) =>
  z
    .string(what)
    .regex(/^[\w+=,.@-]{2,64}$/, `${what}: 2 to 64 letters, digits and characters of _+=,.@-`);

const sessionPolicy = z.string('a policy as JSON').superRefine((policy, context) => {
  if (policy.length > 2048 || !isJson(policy)) {
    context.addIssue({ code: 'custom', message: 'a policy as JSON, of 2048 characters at most' });
  }
});

export const assumedRole = z.strictObject({
  roleArn,
  externalId: z
    .string('an external id')
    .regex(
      /^[\w+=,.@:/-]{2,1224}$/,
      'an external id: 2 to 1224 letters, digits and characters of _+=,.@:/-',
    )
    .optional(),
  sessionName: stsName('a session name').default('litellm-mlflow-sidecar'),
  duration: duration('15m', '12h').optional(),
  policy: sessionPolicy.optional(),
  policyArns: z
    .array(
      z.string('the ARN of a policy').regex(/^arn:aws/, 'the ARN of a policy'),
      'a list of ARNs of policies',
    )
    .max(10, 'a list of at most 10 ARNs of policies')
    .optional(),
  tags: z
    .record(
      z.string().min(1).max(128),
      z.string('a text').max(256, 'a text of at most 256 characters'),
      'a mapping of session tags, whose names have 1 to 128 characters',
    )
    .refine((tags) => Object.keys(tags).length <= 50, 'a mapping of at most 50 session tags')
    .optional(),
  sourceIdentity: stsName('a source identity').optional(),
});

const regionAllowed = 'a region, such as eu-west-1';

export const awsSchema = z
  .strictObject({
    region: z
      .string(regionAllowed)
      .regex(/^[\w-]+$/, regionAllowed)
      .optional()
      .describe(
        'The region, where no ARN names it: of destination.trackingServerName, and of artifacts in S3.',
      ),
    mlflowEndpoint: z
      .url({ protocol: /^https?$/, error: 'a URL that begins with http:// or https://' })
      .optional()
      .describe("Takes the place of the URL of SageMaker's MLflow, for a VPC endpoint or a proxy."),
    assumeRole: z
      .array(assumedRole, 'a list of roles')
      .prefault([])
      .describe(
        'Roles to assume, each by the one before, such as {roleArn: "arn:aws:iam::123456789012:role/recorder", externalId: an-id}. Also sessionName, duration, policy, policyArns, tags and sourceIdentity.',
      ),
  })
  .prefault({});

export const artifactsSchema = z
  .strictObject({
    upload: oneOf(['direct', 'presigned'])
      .default('direct')
      .describe(
        "How artifacts get to S3: direct, by the sidecar's own credentials, or presigned, by a URL that MLflow hands out for each. Those behind MLflow's proxy go there either way.",
      ),
    kmsKeyId: text('the id or ARN of a KMS key')
      .optional()
      .describe('A KMS key to encrypt artifacts in S3 with. Unset: as the bucket has it.'),
  })
  .prefault({});

function isJson(written: string): boolean {
  try {
    JSON.parse(written);
    return true;
  } catch {
    return false;
  }
}
