import type { LoadedTrace } from './load-trace.ts';
import type { Sending } from './send-traces.ts';
import type { Failure } from './trace-parts.ts';

/**
 * Makes one trace and puts its spans beside it, for servers that take no OTLP: a request, and an upload.
 * Both are safe to do again.
 *
 * @returns Why it could not, where that may pass.
 */
export async function startTrace(
  { parts, doubts, ended }: Sending,
  experimentId: string,
  { seq, plan }: LoadedTrace,
): Promise<Failure | undefined> {
  const { mlflow, artifacts, hold, experiments, onLoss } = parts;
  const started = await mlflow.start(experimentId, plan);
  if (started.kind === 'done') {
    hold.succeeded();
    doubts.othersPassed();
    // Behind MLflow's proxy, or in S3; the presigned URLs of MLflow are for the files of runs alone.
    const place = { id: '', artifactUri: started.value };
    const spans = mlflow.spansFile(plan);
    const put = await (artifacts.putAt(`${started.value}/traces.json`, spans) ??
      artifacts.put(place, 'traces.json', spans));
    if (put !== undefined && put.kind !== 'done' && put.kind !== 'reject') return put;
    if (put?.kind !== 'done') onLoss(1, 'spans', put?.answer ?? 'no place for them');
    await ended([seq], 'kept');
    return undefined;
  }
  switch (started.kind) {
    case 'hold':
      hold.refused(started);
      return { ...started, isOfTraces: true };
    case 'reject':
      if (started.reason !== 'invalid') {
        experiments.forget();
        return started;
      }
      await ended([seq], 'given up');
      onLoss(1, 'rejected', started.answer);
      return undefined;
    case 'retry':
    case 'ambiguous':
      hold.failed(started.reason);
      if (started.suspect === undefined || hold.allows() !== 'all') return started;
      if (!doubts.failed(seq)) return undefined;
      await ended([seq], 'given up');
      onLoss(1, 'server_error', started.reason);
      return undefined;
  }
}
