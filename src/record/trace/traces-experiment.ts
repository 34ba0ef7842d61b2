import { beginningOf } from '../../call/fields.ts';

/** PostgreSQL and MySQL keep 256 characters of an experiment's name. */
const longestParent = 249;

/**
 * The experiment of the traces of calls whose runs are in `experiment`. It is another one: MLflow opens
 * an experiment that holds traces in its GenAI view, which has no list of runs.
 */
export function tracesExperiment(experiment: string): string {
  return `${beginningOf(experiment, longestParent)}/traces`;
}
