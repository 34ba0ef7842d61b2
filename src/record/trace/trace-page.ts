import { traceIdsOf } from './trace-ids.ts';

/**
 * Where MLflow's pages show a call's trace, from wherever on that server one is: for a link in Markdown.
 * (Clicked on 3.17.2.)
 */
export function tracePage(experimentId: string, recordId: string): string {
  const { traceId } = traceIdsOf(recordId);
  return `#/experiments/${encodeURIComponent(experimentId)}/traces?selectedEvaluationId=tr-${traceId}`;
}
