import type { ControlError } from '../../aws/mlflow-control.ts';
import { saysDenied } from '../../aws/tracking-server-size.ts';

/** What a refusal of the control plane means, and what to do about it, for a person. */
export function refusalWords({ operation, code, message }: ControlError, region: string): string {
  if (code === 'NoCredentialsError') {
    return `There are no AWS credentials (${message}). Log in, set AWS_PROFILE, or use a role; "auth" says what is found. See docs/sagemaker.md.`;
  }
  if (saysDenied(code)) {
    return `These credentials lack sagemaker:${operation} (${code}). config/iam/operator.json grants it; "auth" says whose they are. SageMaker: ${message}`;
  }
  if (/NotFound/.test(code)) {
    return `SageMaker knows none of that name in ${region} in this account; "server list" shows those there are. SageMaker: ${message}`;
  }
  if (/Token|UnrecognizedClient|Signature|AuthFailure|Request(Expired|InTheFuture)/.test(code)) {
    return `AWS does not take the credentials (${code}): they have run out, or are wrong. Log in again; "auth" says which are used.`;
  }
  if (/Throttl|TooMany|RequestLimit/.test(code)) {
    return `SageMaker refuses for the rate (${code}, ${operation}), also after retries. Try again in a minute.`;
  }
  if (/^E[A-Z_]+$|Timeout/.test(code)) {
    return `SageMaker's control plane in ${region} cannot be reached (${code}): look at the region's name, the network, and the VPC endpoint of sagemaker.api.`;
  }
  if (/^Validation/.test(code)) return `SageMaker refuses (${operation}): ${message}`;
  return `SageMaker refuses (${operation}, ${code}): ${message}`;
}
