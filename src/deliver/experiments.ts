import type { MlflowClient } from '../mlflow/client.ts';
import type { Outcome } from '../mlflow/outcome.ts';

/** The ids of experiments by name. */
export interface Experiments {
  /** Finds the experiment, makes it where there is none, restores it where it is deleted. */
  idOf(name: string): Promise<Outcome<string>>;
  /**
   * An id turned out to be of nothing. A server that was replaced by an empty one gives the same
   * ids to other experiments, so that none of those known is to be trusted.
   */
  forget(): void;
}

/**
 * Asks once for each name, and only one caller at a time. Sidecars that start together race for the
 * same name: the loser is refused, and looks again.
 */
export function createExperiments(mlflow: MlflowClient): Experiments {
  const known = new Map<string, Promise<Outcome<string>>>();

  const resolve = async (name: string, looks = 3): Promise<Outcome<string>> => {
    const lookAgain = async (reason: string): Promise<Outcome<string>> =>
      looks > 1 ? resolve(name, looks - 1) : { kind: 'retry', reason };

    const found = await mlflow.findExperiment(name);
    if (found.kind === 'done') {
      if (!found.value.deleted) return { kind: 'done', value: found.value.id };
      const restored = await mlflow.restoreExperiment(found.value.id);
      if (restored.kind === 'reject') return lookAgain('the experiment could not be restored');
      return restored.kind === 'done' ? { kind: 'done', value: found.value.id } : restored;
    }
    if (found.kind !== 'reject' || found.reason !== 'missing') return found;
    const made = await mlflow.createExperiment(name);
    if (made.kind !== 'reject' || made.reason !== 'exists') return made;
    return lookAgain('the experiment is there, and is not');
  };

  return {
    idOf: (name) => {
      const asked = known.get(name) ?? resolve(name);
      known.set(name, asked);
      return asked.then((outcome) => {
        if (outcome.kind !== 'done' && known.get(name) === asked) known.delete(name);
        return outcome;
      });
    },
    forget: () => {
      known.clear();
    },
  };
}
