import type { MlflowClient } from '../../mlflow/client.ts';
import type { Outcome } from '../../mlflow/outcome.ts';
import type { MetricPoint } from '../../record/usage/plan-usage.ts';

/** MLflow takes so many metrics in a request; a slow one answers fewer in time. */
const mostInRequest = 1_000;
const fewestInRequest = 50;
/**
 * Of metrics that it may have already it takes fewer: where one is there, 3.0.1 compares the others by a
 * hundred names at a time, and refuses a request with more of them for ever (`_log_metrics` of its
 * `sqlalchemy_store.py`).
 */
const mostSentAgain = 100;

/** How many points go into a request, as the server has shown to answer in time. */
export interface RequestSize {
  points: number;
}

export function createRequestSize(): RequestSize {
  return { points: mostInRequest };
}
/** After so many refusals of parts the rest is given up, too: it is the run that MLflow dislikes. */
const mostRefusals = 40;

/**
 * Sends the points of a run. Sending them again does no harm: of those that are the same MLflow keeps
 * one. What it finds unacceptable is halved until the point is found, and left out.
 *
 * @param size Changed by what becomes of the requests; to be kept from one time to the next.
 * @returns How many points were left out.
 */
export async function sendPoints(
  mlflow: Pick<MlflowClient, 'logBatch'>,
  runId: string,
  points: readonly MetricPoint[],
  size: RequestSize,
): Promise<Outcome<number>> {
  let refusals = 0;
  let refused = 0;
  const waiting: (readonly MetricPoint[])[] = [];
  for (let at = 0; at < points.length; at += size.points) {
    waiting.push(points.slice(at, at + size.points));
  }
  for (let metrics = waiting.shift(); metrics !== undefined; metrics = waiting.shift()) {
    const outcome = await mlflow.logBatch(runId, { params: [], metrics, tags: [] });
    if (outcome.kind === 'done') {
      if (metrics.length >= size.points) size.points = Math.min(mostInRequest, 2 * size.points);
      continue;
    }
    // The next time some of them may be there, and it has less to do until its answer.
    if (outcome.kind === 'ambiguous' || outcome.kind === 'retry') {
      const half = Math.floor(metrics.length / 2);
      size.points = Math.max(fewestInRequest, Math.min(mostSentAgain, half));
    }
    if (outcome.kind !== 'reject' || outcome.reason !== 'invalid') return outcome;
    refusals += 1;
    if (metrics.length === 1 || refusals > mostRefusals) refused += metrics.length;
    else {
      const half = metrics.length >> 1;
      waiting.unshift(metrics.slice(0, half), metrics.slice(half));
    }
  }
  return { kind: 'done', value: refused };
}
