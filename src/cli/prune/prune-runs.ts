import type { MlflowClient } from '../../mlflow/client.ts';
import type { Outcome } from '../../mlflow/outcome.ts';
import type { FoundRun, SearchClient } from '../../mlflow/search-client.ts';

/** What pruning works with; each of its requests is paid for from the ration, and tried again. */
export interface RunPruning {
  runs: (token?: string) => ReturnType<SearchClient['runs']>;
  deleteRun: MlflowClient['deleteRun'];
  /** Told of each run that is gone, and how many that makes. */
  onDeleted: (run: FoundRun, deleted: number) => void;
  over: AbortSignal;
}

export interface Pruned {
  deleted: number;
  /** Those that MLflow refused to delete. */
  left: number;
  /** Why it ended before all were gone. */
  failure?: Exclude<Outcome<unknown>, { kind: 'done' }>;
}

/** Only runs of calls: what a person or another program has made in the experiment is left alone. */
export function oldRunsFilter(before: number): string {
  return `tags.\`sidecar.record\` = 'call' and attributes.start_time < ${before}`;
}

/** So many runs are searched for at once: each comes with all its params and tags. */
export const runsAtOnce = 100;

/**
 * Deletes runs, the oldest first. What is deleted is not found again, so that the next page is always
 * the first one, and whoever begins anew goes on where this ended.
 */
export async function pruneRuns(pruning: RunPruning): Promise<Pruned> {
  const { runs, deleteRun, onDeleted, over } = pruning;
  /** What was asked for once is not asked for again, whatever a search still finds. */
  const asked = new Set<string>();
  let left = 0;
  let deleted = 0;
  let token: string | undefined;
  const end = (failure?: Pruned['failure']): Pruned => ({
    ...{ deleted, left },
    ...(failure !== undefined && { failure }),
  });
  while (!over.aborted) {
    const page = await runs(token);
    if (page.kind !== 'done') return end(page);
    const found = page.value.items.filter(({ id }) => !asked.has(id));
    // Behind those that cannot be deleted there may be others.
    if (found.length === 0 && page.value.next === undefined) return end();
    for (const run of found) {
      if (over.aborted) return end();
      const outcome = await deleteRun(run.id);
      asked.add(run.id);
      // One that somebody else has deleted meanwhile is gone as well.
      const isGone =
        outcome.kind === 'reject' && (outcome.reason === 'deleted' || outcome.reason === 'missing');
      if (outcome.kind === 'done' || isGone) {
        deleted += 1;
        onDeleted(run, deleted);
      } else if (outcome.kind === 'reject') left += 1;
      else return end(outcome);
    }
    token = found.length === 0 ? page.value.next : undefined;
  }
  return end();
}

/** How many there are; `undefined` where it was interrupted. */
export async function countRuns(
  runs: RunPruning['runs'],
  onCounted: (count: number, first: FoundRun | undefined) => void,
  over: AbortSignal,
): Promise<Outcome<number>> {
  let count = 0;
  let first: FoundRun | undefined;
  let token: string | undefined;
  do {
    const page = await runs(token);
    if (page.kind !== 'done') return page;
    count += page.value.items.length;
    first ??= page.value.items[0];
    onCounted(count, first);
    token = page.value.next;
  } while (token !== undefined && !over.aborted);
  return { kind: 'done', value: count };
}
