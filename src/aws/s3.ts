import type { S3Client } from '@aws-sdk/client-s3';
import { type ClientTimeouts, clientTimeouts } from './client-timeouts.ts';
import { type CredentialSource, providerFor } from './credentials.ts';
import { errorName } from './error-name.ts';
import type { StreamBody } from './stream-body.ts';

/** What became of an upload. */
export type PutResult =
  | { kind: 'stored' }
  /** S3 answered with an error; `name` is S3's code, such as `AccessDenied`. */
  | { kind: 'refused'; status: number; name: string }
  /** S3 was not reached; `name` is the error's name or code. */
  | { kind: 'failed'; name: string };

export interface StoredObject {
  bucket: string;
  key: string;
  body: Uint8Array | StreamBody;
  contentType: string;
}

export interface ObjectStore {
  /** Safe to repeat; it never throws. */
  put(object: StoredObject): Promise<PutResult>;
  close(): void;
}

export interface S3Options {
  /** Where the buckets are; a bucket of another region is followed there. */
  region: string;
  credentials: CredentialSource;
  /** A KMS key for the objects; absent: as the bucket has it. */
  kmsKeyId?: string | undefined;
  /** Another endpoint takes buckets in the path, since it has no name for each. */
  hasOwnEndpoint: boolean;
  timeouts?: ClientTimeouts;
}

/** S3's names for credentials that have run out, or are not known any more. */
const saysExpired = /^(ExpiredToken|InvalidAccessKeyId|InvalidToken)$/;

/** Objects of more are sent in parts of this many bytes. */
const partSize = 8 * 1024 * 1024;

/**
 * S3 by Amazon's library, which is loaded when the first object is put: it takes 20 MB. Every object
 * has a checksum, which S3 compares; large ones go in parts, of which nothing is left when one fails.
 */
export function createS3({
  region,
  credentials,
  kmsKeyId,
  hasOwnEndpoint,
  timeouts = clientTimeouts,
}: S3Options): ObjectStore {
  let client: S3Client | undefined;

  const load = async () => {
    const [{ S3Client }, { Upload }] = await Promise.all([
      import('@aws-sdk/client-s3'),
      import('@aws-sdk/lib-storage'),
    ]);
    client ??= new S3Client({
      region,
      credentials: providerFor(credentials),
      requestHandler: timeouts,
      forcePathStyle: hasOwnEndpoint,
      followRegionRedirects: true,
    });
    return { client, Upload };
  };

  const putOnce = async ({ bucket, key, body, contentType }: StoredObject): Promise<PutResult> => {
    try {
      const { client, Upload } = await load();
      const upload = new Upload({
        client,
        partSize,
        queueSize: 1,
        leavePartsOnError: false,
        params: {
          Bucket: bucket,
          Key: key,
          Body: body instanceof Uint8Array ? body : body.open(),
          ContentType: contentType,
          ChecksumAlgorithm: 'CRC32',
          ...(kmsKeyId !== undefined && {
            ServerSideEncryption: 'aws:kms' as const,
            SSEKMSKeyId: kmsKeyId,
          }),
        },
      });
      await upload.done();
      return { kind: 'stored' };
    } catch (error) {
      return resultOf(error);
    }
  };

  return {
    put: async (object) => {
      const used = await credentials.current().catch(() => undefined);
      const result = await putOnce(object);
      if (result.kind !== 'refused' || !saysExpired.test(result.name)) return result;
      return used && (await credentials.renew(used)) ? putOnce(object) : result;
    },
    close: () => client?.destroy(),
  };
}

function resultOf(error: unknown): PutResult {
  const metadata = error instanceof Error && '$metadata' in error ? error.$metadata : undefined;
  const status =
    typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
      ? metadata.httpStatusCode
      : undefined;
  return typeof status === 'number'
    ? { kind: 'refused', status, name: error instanceof Error ? error.name : 'unknown' }
    : { kind: 'failed', name: errorName(error) };
}
