import type { MlflowClient } from '../../mlflow/client.ts';
import type { Outcome } from '../../mlflow/outcome.ts';
import type { MetricPoint } from '../../record/usage/plan-usage.ts';

/** MLflow takes so many metrics in a request. */
const mostInRequest = 1_000;
/** After so many refusals of parts the rest is given up, too: it is the run that MLflow dislikes. */
const mostRefusals = 40;

/**
 * Sends the points of a run. Sending them again does no harm: of those that are the same MLflow keeps
 * one. What it finds unacceptable is halved until the point is found, and left out.
 *
 * @returns How many points were left out.
 */
export async function sendPoints(
  mlflow: Pick<MlflowClient, 'logBatch'>,
  runId: string,
  points: readonly MetricPoint[],
): Promise<Outcome<number>> {
  let refusals = 0;
  let refused = 0;
  const waiting: (readonly MetricPoint[])[] = [];
  for (let at = 0; at < points.length; at += mostInRequest) {
    waiting.push(points.slice(at, at + mostInRequest));
  }
  for (let metrics = waiting.shift(); metrics !== undefined; metrics = waiting.shift()) {
    const outcome = await mlflow.logBatch(runId, { params: [], metrics, tags: [] });
    if (outcome.kind === 'done') continue;
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
