import type { Run } from '../mlflow/client.ts';
import type { Outcome, RejectReason } from '../mlflow/outcome.ts';
import { recordIdTag } from '../record/run-plan.ts';
import type { Attempt } from './attempt.ts';
import type { CallEnd } from './call-end.ts';
import { deletedByAPerson, judge } from './judge.ts';

/**
 * After an unclear create its run is searched for at these milliseconds, and the create is sent
 * again only when the last search found none: MLflow answers pool errors 30 to 60 s late, and acts
 * as late.
 */
const searchesAfter = [2_000, 20_000, 90_000] as const;

export type BegunRun = Pick<Run, 'id' | 'artifactUri'>;

/** The run: the one that is known, or one that is made, or found where it may have been made. */
export async function beginRun(attempt: Attempt): Promise<BegunRun | CallEnd> {
  const { runId, artifactUri = '', begunAt } = attempt.progress;
  if (runId !== undefined) return { id: runId, artifactUri };
  const experiment = await attempt.parts.experiments.idOf(attempt.run.experiment);
  if (experiment.kind !== 'done') return judge(attempt, experiment);
  const experimentId = experiment.value;
  const run =
    begunAt === undefined
      ? await create(attempt, experimentId)
      : await search(attempt, experimentId, begunAt);
  if ('kind' in run) return run;
  const { begunAt: _, ...before } = attempt.progress;
  const progress = { ...before, experimentId, runId: run.id, artifactUri: run.artifactUri };
  // Only one that was searched for can be: nothing more is to be sent.
  if (run.complete) return { kind: 'settled', settlement: { kind: 'recorded', progress } };
  await attempt.keep(progress);
  return run;
}

async function create(attempt: Attempt, experimentId: string): Promise<Run | CallEnd> {
  const { mlflow, experiments, clock } = attempt.parts;
  const { plan, run } = attempt;
  const tags = new Map([...plan.tags, ...(run.tagsIn?.(experimentId) ?? [])]);
  const outcome = await mlflow.createRun(experimentId, { ...plan, tags });
  if (outcome.kind === 'done') return outcome.value;
  if (outcome.kind === 'ambiguous') {
    const begunAt = clock.now();
    attempt.progress = { ...attempt.progress, begunAt };
    return judge(attempt, outcome, begunAt + searchesAfter[0]);
  }
  if (outcome.kind === 'reject' && isGone(outcome.reason, attempt.run.isOfMany)) {
    experiments.forget();
    return judge(attempt, { kind: 'retry', reason: 'the experiment has gone' });
  }
  return judge(attempt, outcome);
}

/** Whether an experiment has to be looked for again. One that was deleted is restored for many calls alone. */
function isGone(reason: RejectReason, isOfMany = false): boolean {
  return reason === 'missing' || (reason === 'deleted' && isOfMany);
}

/** Looks for the run of an unclear create, when it is time; creates it again after the last look. */
async function search(
  attempt: Attempt,
  experimentId: string,
  begunAt: number,
): Promise<Run | CallEnd> {
  const { clock } = attempt.parts;
  const age = clock.now() - begunAt;
  if (age < 0) {
    // The clock was set back; the wait begins anew.
    attempt.progress = { ...attempt.progress, begunAt: clock.now() };
    return attempt.later(clock.now() + searchesAfter[0]);
  }
  const nextSearch = searchesAfter.find((ms) => ms > age);
  if (age >= searchesAfter[0]) {
    const found = await findRuns(attempt, experimentId);
    if (found.kind !== 'done') return judge(attempt, found);
    const run = found.value.find((one) => !one.deleted) ?? found.value[0];
    if (run?.deleted) return deletedByAPerson;
    if (run !== undefined) return run;
  }
  if (nextSearch !== undefined) return attempt.later(begunAt + nextSearch);
  await attempt.keep({ ...attempt.progress, begunAt: clock.now(), resent: true });
  return create(attempt, experimentId);
}

/** A create may have acted later than the last search for it; then there are two runs by now. */
export async function deleteSecondRun(
  attempt: Attempt,
  runId: string,
): Promise<CallEnd | undefined> {
  const { experimentId, resent } = attempt.progress;
  if (resent === undefined || experimentId === undefined) return undefined;
  const found = await findRuns(attempt, experimentId);
  if (found.kind !== 'done') return judge(attempt, found);
  for (const run of found.value) {
    if (run.id === runId || run.deleted) continue;
    const deleted = await attempt.parts.mlflow.deleteRun(run.id);
    if (deleted.kind === 'done') {
      const { secondRunsDeleted = 0, ...progress } = attempt.progress;
      await attempt.keep({ ...progress, secondRunsDeleted: secondRunsDeleted + 1 });
    }
    // Who may not delete leaves it, and somebody may have been quicker: the run itself is whole.
    const mayNot = deleted.kind === 'hold' && deleted.reason === 'forbidden';
    const isGone = deleted.kind === 'reject' && deleted.reason !== 'invalid';
    if (deleted.kind !== 'done' && !mayNot && !isGone) return judge(attempt, deleted);
  }
  return undefined;
}

function findRuns(attempt: Attempt, experimentId: string): Promise<Outcome<Run[]>> {
  const { plan, parts } = attempt;
  const tag = [recordIdTag, plan.recordId] as const;
  return parts.mlflow.findRuns(experimentId, tag, plan.startTime);
}
