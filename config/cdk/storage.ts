import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { Parameters } from './parameters.ts';

/** Where in the bucket things lie; the lifecycle goes by it, since S3 knows no other names. */
export interface Storage {
  bucket: s3.Bucket;
  /** The files of runs. */
  artifactPrefix: string;
  /** The whole calls. */
  archivePrefix: string;
}

/** The bucket outlives the stack: it holds the record of all calls. */
export function makeStorage(scope: Construct, parameters: Parameters): Storage {
  const { bucketName, prefix, artifactDays, archiveDays } = parameters;
  const artifactPrefix = `${prefix}/mlflow`;
  const archivePrefix = `${prefix}/calls`;
  const gone = (id: string, folder: string, days: number | undefined): s3.LifecycleRule[] =>
    days === undefined ? [] : [{ id, prefix: `${folder}/`, expiration: Duration.days(days) }];
  const bucket = new s3.Bucket(scope, 'Bucket', {
    ...(bucketName !== undefined && { bucketName }),
    encryption: s3.BucketEncryption.S3_MANAGED,
    versioned: true,
    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
    objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    removalPolicy: RemovalPolicy.RETAIN,
    lifecycleRules: [
      ...gone('artifacts', artifactPrefix, artifactDays),
      ...gone('archive', archivePrefix, archiveDays),
      {
        id: 'old-versions',
        noncurrentVersionExpiration: Duration.days(parameters.oldVersionDays),
      },
      // What stays of a deleted object when its last old version is gone.
      { id: 'delete-markers', expiredObjectDeleteMarker: true },
      {
        id: 'broken-uploads',
        abortIncompleteMultipartUploadAfter: Duration.days(parameters.brokenUploadDays),
      },
    ],
  });
  // Without it the bucket that stays would take requests without TLS.
  bucket.policy?.applyRemovalPolicy(RemovalPolicy.RETAIN);
  return { bucket, artifactPrefix, archivePrefix };
}
