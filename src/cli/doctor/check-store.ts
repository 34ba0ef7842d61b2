import { request } from 'undici';
import { createS3 } from '../../aws/s3.ts';
import { serviceEndpoint } from '../../aws/service-endpoint.ts';
import type { AwsAccess } from '../../destination.ts';
import { createAsk } from '../../mlflow/ask.ts';
import { codeOf } from '../../mlflow/http-transport.ts';
import { member, parsed, textMember } from '../../mlflow/json-answer.ts';
import type { Environment } from '../../settings/environment.ts';
import { type Check, failure, ok, warning } from './check.ts';
import type { Asking } from './check-mlflow.ts';

/** The object that `--write` leaves behind, the same each time: a sidecar may not delete. */
const tinyObject = 'sidecar-doctor.txt';

/** Where whole files go, as far as MLflow and the settings say. */
export async function storesOf({ settings, send, now }: Asking): Promise<string[]> {
  const query = new URLSearchParams({ experiment_name: settings.record.experiment });
  const found = await createAsk(send, { now, onOutcome: () => undefined })(
    {
      name: 'experiments/get-by-name',
      method: 'GET',
      path: `/api/2.0/mlflow/experiments/get-by-name?${query}`,
    },
    (answer) => textMember(member(parsed(answer), 'experiment'), 'artifact_location'),
  );
  const { uri } = settings.archive;
  return [...(found.kind === 'done' ? [found.value] : []), ...(uri === undefined ? [] : [uri])];
}

export interface StoreOptions {
  access: AwsAccess;
  environment: Environment;
  /** Puts a tiny object there. */
  write: boolean;
  kmsKeyId?: string | undefined;
  /** Of a managed MLflow. */
  mlflowRegion?: string | undefined;
}

/** Whether files can go where they are to go. */
export async function checkStore(place: string, options: StoreOptions): Promise<Check> {
  const name = 'artifacts';
  if (!place.startsWith('s3://')) {
    return place.startsWith('mlflow-artifacts:')
      ? ok(name, `${place}: through MLflow, which needs no rights of S3`)
      : failure(
          name,
          `${place}: neither S3 nor behind MLflow`,
          'Start MLflow with --serve-artifacts, or with an S3 URI as its --default-artifact-root.',
        );
  }
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/?(.*?)\/*$/.exec(place) ?? [];
  return options.write
    ? await putTiny(place, bucket, prefix, options)
    : await lookAtBucket(place, bucket, options);
}

async function putTiny(
  place: string,
  bucket: string,
  prefix: string,
  { access, environment, kmsKeyId }: StoreOptions,
): Promise<Check> {
  const objects = createS3({
    region: access.region,
    credentials: access.credentials,
    kmsKeyId,
    hasOwnEndpoint: serviceEndpoint('S3', environment) !== undefined,
  });
  const key = prefix === '' ? tinyObject : `${prefix}/${tinyObject}`;
  const put = await objects.put({
    bucket,
    key,
    body: Buffer.from('litellm-mlflow doctor --write was here.\n'),
    contentType: 'text/plain',
  });
  objects.close();
  const where = `s3://${bucket}/${key}`;
  if (put.kind === 'stored') return ok('artifacts', `${where} was written, and stays there`);
  const advice =
    put.kind === 'failed'
      ? 'S3 was not reached: look at the network, or give the VPC an endpoint for it.'
      : put.name === 'NoSuchBucket'
        ? 'Make the bucket, or correct its name.'
        : `Allow s3:PutObject on ${place}/*, and kms:GenerateDataKey where the bucket has a key of its own: config/iam.`;
  return failure('artifacts', `${where} cannot be written (${put.name})`, advice);
}

/** Asks without credentials: S3 says of any bucket whether it is there, and where. */
async function lookAtBucket(
  place: string,
  bucket: string,
  { access, environment, mlflowRegion }: StoreOptions,
): Promise<Check> {
  const own = serviceEndpoint('S3', environment);
  const url =
    own === undefined
      ? `https://s3.${access.region}.amazonaws.com/${bucket}`
      : `${own.replace(/\/+$/, '')}/${bucket}`;
  const patience = { headersTimeout: 10_000, bodyTimeout: 10_000 };
  const answer = await request(url, { method: 'HEAD', ...patience }).catch((error: unknown) =>
    codeOf(error),
  );
  if (typeof answer === 'string') {
    return warning(
      'artifacts',
      `${place}: S3 was not reached at ${new URL(url).host} (${answer})`,
      'Look at the network, or give the VPC an endpoint for S3.',
    );
  }
  await answer.body.dump();
  if (answer.statusCode === 404) {
    return failure(
      'artifacts',
      `${place}: there is no bucket ${bucket}`,
      'Make it, or correct its name.',
    );
  }
  const region = answer.headers['x-amz-bucket-region'];
  if (typeof region === 'string' && mlflowRegion !== undefined && region !== mlflowRegion) {
    return warning(
      'artifacts',
      `${place}: the bucket is in ${region}, and MLflow in ${mlflowRegion}`,
      'It works; each file crosses regions, which costs time and money. See docs/sagemaker.md.',
    );
  }
  const at = typeof region === 'string' ? `, in ${region}` : '';
  return ok(
    'artifacts',
    `${place}: the bucket is there${at}; --write tries whether it may be written to`,
  );
}
