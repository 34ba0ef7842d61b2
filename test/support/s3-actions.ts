import type { PassingRequest } from './fault-proxy.ts';

/**
 * The IAM actions that a request to S3 needs, after AWS's "Required permissions for Amazon S3 API
 * operations": all of an upload in parts is `PutObject`, but for giving it up. With a KMS key, S3 takes
 * the data keys by the caller's permissions, and has to open those of the parts to put them together
 * ("Protecting data with SSE-KMS").
 *
 * @throws For a request that no upload makes: what it needs is not known here.
 */
export function s3Actions({ method, path, headers }: PassingRequest): string[] {
  const query = new URL(path, 'http://s3').searchParams;
  const isInParts = query.has('uploads') || query.has('uploadId');
  switch (`${method}${isInParts ? ' in parts' : ''}`) {
    case 'PUT':
    case 'PUT in parts':
    case 'POST in parts':
      return ['s3:PutObject', ...kmsActions(headers, isInParts)];
    case 'DELETE in parts':
      return ['s3:AbortMultipartUpload'];
    default:
      throw new Error(`It is not known what ${method} ${path} needs.`);
  }
}

function kmsActions(headers: PassingRequest['headers'], isInParts: boolean): string[] {
  if (headers['x-amz-server-side-encryption'] !== 'aws:kms') return [];
  return isInParts ? ['kms:GenerateDataKey', 'kms:Decrypt'] : ['kms:GenerateDataKey'];
}
