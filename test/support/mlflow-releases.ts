import { newestMlflow } from './python-env.ts';

/** SageMaker has servers of 2.16.2 and 3.0, and apps of 3.10.1. */
export const supportedReleases: readonly string[] = ['2.16.2', '3.0.1', '3.10.1', newestMlflow];

/**
 * The releases of MLflow that a run of the tests is for: those named in `MLFLOW_RELEASES`, with spaces
 * between, or the newest alone.
 */
export function mlflowReleases(): readonly string[] {
  return wanted() ?? [newestMlflow];
}

/** Those that the contract is tested with: two of them unless `MLFLOW_RELEASES` names others. */
export function contractReleases(): readonly string[] {
  return wanted() ?? ['3.0.1', newestMlflow];
}

function wanted(): string[] | undefined {
  return process.env['MLFLOW_RELEASES']?.split(' ').filter((release) => release !== '');
}
