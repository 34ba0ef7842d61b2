type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The endpoint that the environment names for a service in the place of AWS's own, as Amazon's libraries
 * find it: the service's own variable first, then the one for all services; neither where
 * `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` is true.
 */
export function serviceEndpoint(
  service: 'S3' | 'SAGEMAKER',
  environment: Environment,
): string | undefined {
  if (environment['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS'] === 'true') return undefined;
  return environment[`AWS_ENDPOINT_URL_${service}`] || environment['AWS_ENDPOINT_URL'] || undefined;
}
