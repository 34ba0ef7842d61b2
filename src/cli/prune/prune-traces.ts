import type { Outcome } from '../../mlflow/outcome.ts';
import { type PruneClient, tracesDeletedAtOnce } from '../../mlflow/prune-client.ts';
import type { SearchClient } from '../../mlflow/search-client.ts';

/** `own`: those that carry the sidecar's tag; `all`: whatever is as old in the calls' experiments. */
export type WhichTraces = 'own' | 'all';

export interface TracePruning {
  traces: (filter: string, token?: string) => ReturnType<SearchClient['traces']>;
  deleteTraces: (ids: readonly string[]) => ReturnType<PruneClient['deleteTraces']>;
  onDeleted: (deleted: number) => void;
  over: AbortSignal;
}

/** MLflow keeps the tags of traces that come by OTLP since 3.13; before, nothing tells whose they are. */
export function oldTracesFilter(before: number, which: WhichTraces): string {
  const old = `attributes.timestamp_ms < ${before}`;
  return which === 'all' ? old : `${old} and tag.\`sidecar.record\` = 'call'`;
}

/** Deletes traces, a hundred in a request. They are gone for good. */
export async function pruneTraces(
  { traces, deleteTraces, onDeleted, over }: TracePruning,
  filter: string,
): Promise<{ deleted: number; failure?: Exclude<Outcome<unknown>, { kind: 'done' }> }> {
  let deleted = 0;
  while (!over.aborted) {
    const page = await traces(filter);
    if (page.kind !== 'done') return { deleted, failure: page };
    const ids = page.value.items.map(({ id }) => id);
    if (ids.length === 0) return { deleted };
    let gone = 0;
    for (let at = 0; at < ids.length && !over.aborted; at += tracesDeletedAtOnce) {
      const outcome = await deleteTraces(ids.slice(at, at + tracesDeletedAtOnce));
      if (outcome.kind !== 'done') return { deleted, failure: outcome };
      gone += outcome.value;
      deleted += outcome.value;
      onDeleted(deleted);
    }
    // What is found and not deleted would be found for ever.
    if (gone === 0) return { deleted };
  }
  return { deleted };
}

/** How many there are, so far as it was not interrupted. */
export async function countTraces(
  traces: TracePruning['traces'],
  filter: string,
  over: AbortSignal,
): Promise<Outcome<number>> {
  let count = 0;
  let token: string | undefined;
  do {
    const page = await traces(filter, token);
    if (page.kind !== 'done') return page;
    count += page.value.items.length;
    token = page.value.next;
  } while (token !== undefined && !over.aborted);
  return { kind: 'done', value: count };
}
