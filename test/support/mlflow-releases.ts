import { newestMlflow } from './python-env.ts';

/**
 * The releases of MLflow that a run of the tests is for: those named in `MLFLOW_RELEASES`, with spaces
 * between, or the newest alone. SageMaker has servers of 2.16.2 and 3.0, and apps of 3.10.1.
 */
export function mlflowReleases(): readonly string[] {
  const wanted = process.env['MLFLOW_RELEASES']?.split(' ').filter((release) => release !== '');
  return wanted ?? [newestMlflow];
}
