import { Attempt, type DeliverParts } from './attempt.ts';
import { beginRun, deleteSecondRun } from './begin-run.ts';
import type { CallEnd } from './call-end.ts';
import { judge, recorded } from './judge.ts';
import { putArtifacts } from './put-artifacts.ts';
import type { RunToMake } from './run-to-make.ts';

/**
 * Takes one run through its requests: its create, its params and metrics, its artifacts, its end. Each
 * answer is on disk before the next request goes out, so that after a kill the run that was begun is
 * finished, not begun again.
 *
 *     (new) ──create──▶ run known ──log-batch──▶ logged ──artifacts──▶ each done ──update──▶ recorded
 *       │                   ▲
 *       └─unclear─▶ search ─┘ found; or create again after the last search
 */
export async function deliverRun(parts: DeliverParts, toMake: RunToMake): Promise<CallEnd> {
  const attempt = new Attempt(parts, toMake);
  const run = await beginRun(attempt);
  if ('kind' in run) return run;
  return (
    (await logParamsAndMetrics(attempt, run.id)) ??
    (await putArtifacts(attempt, run)) ??
    (await confessShed(attempt, run.id)) ??
    (await deleteSecondRun(attempt, run.id)) ??
    (await finish(attempt, run.id))
  );
}

async function logParamsAndMetrics(attempt: Attempt, runId: string): Promise<CallEnd | undefined> {
  if (attempt.isDone('logged')) return undefined;
  const { params, metrics, endTime } = attempt.plan;
  const points = [...metrics].map(([name, value]) => ({
    name,
    value,
    timestamp: endTime,
    step: 0,
  }));
  const data = { params, metrics: points, tags: [] };
  const outcome = await attempt.parts.mlflow.logBatch(runId, data);
  return outcome.kind === 'done' ? attempt.stepDone('logged') : judge(attempt, outcome);
}

/** Says on the run what could not be kept with it. */
async function confessShed(attempt: Attempt, runId: string): Promise<CallEnd | undefined> {
  const { shed = [] } = attempt.progress;
  if (shed.length === 0 || attempt.isDone('shed')) return undefined;
  const tags = [['sidecar.shed', shed.join(',')]] as const;
  const outcome = await attempt.parts.mlflow.logBatch(runId, { params: [], metrics: [], tags });
  return outcome.kind === 'done' ? attempt.stepDone('shed') : judge(attempt, outcome);
}

async function finish(attempt: Attempt, runId: string): Promise<CallEnd> {
  const outcome = await attempt.parts.mlflow.updateRun(runId, attempt.plan);
  return outcome.kind === 'done' ? recorded : judge(attempt, outcome);
}
