import type { UsageRunState } from '../../call/usage-report.ts';
import type { UsageRunKey } from '../../journal/journal.ts';
import type { Outcome } from '../../mlflow/outcome.ts';
import { recordIdTag } from '../../record/run-plan.ts';
import type { UsageRunPlan } from '../../record/usage/plan-usage.ts';
import type { UsageDeliveryParts } from './usage-delivery.ts';

/** A create whose answer is not known may act for so long, in milliseconds. */
const unclearFor = 90_000;

/**
 * The id of a run that holds usage: the one that is known, one that was made though nobody heard of it,
 * or a new one. That a create is about to be sent is on disk before it is, with the experiment: that of
 * the day stays the one in which it began, whatever the settings say by now.
 */
export async function usageRunId(
  parts: UsageDeliveryParts,
  key: UsageRunKey,
  known: UsageRunState,
  plan: UsageRunPlan,
): Promise<Outcome<string>> {
  if (known.runId !== undefined) return { kind: 'done', value: known.runId };
  const { mlflow, experiments, journal, untilKept, clock } = parts;
  const { experiment: name = parts.experiment(), begunAt } = known;
  const keep = (state: UsageRunState) => untilKept(() => journal.keepUsageRun(key, state));
  /** Where nobody may look for the day's run any more it would be in the way for ever. */
  const leaveIfShut = async <T extends Outcome<never>>(failure: T): Promise<T> => {
    const isShut = failure.kind === 'hold' && failure.reason === 'forbidden';
    const isLeft = isShut && key.series === '' && name !== parts.experiment();
    if (isLeft) await keep(begunAt === undefined ? {} : { begunAt });
    return failure;
  };

  const experiment = await experiments.idOf(name);
  if (experiment.kind !== 'done') return leaveIfShut(experiment);
  const tag = [recordIdTag, plan.recordId] as const;
  const found = await mlflow.findRuns(experiment.value, tag, plan.startTime);
  if (found.kind !== 'done') return leaveIfShut(found);
  const run = found.value.find(({ deleted }) => !deleted) ?? found.value[0];
  if (run !== undefined) {
    await keep({ runId: run.id, experiment: name });
    return { kind: 'done', value: run.id };
  }

  const now = clock.now();
  // A clock that was set back makes it wait no longer than twice as long.
  const afterMs = begunAt === undefined ? 0 : unclearFor - Math.abs(now - begunAt);
  if (afterMs > 0) return { kind: 'retry', reason: 'an earlier create may still act', afterMs };
  await keep({ begunAt: now, experiment: name });
  const made = await mlflow.createRun(experiment.value, plan);
  if (made.kind === 'done') await keep({ runId: made.value.id, experiment: name });
  else if (made.kind !== 'ambiguous') await keep({});
  if (made.kind === 'reject' && (made.reason === 'missing' || made.reason === 'deleted')) {
    experiments.forget();
    return { kind: 'retry', reason: 'the experiment has gone' };
  }
  return made.kind === 'done' ? { kind: 'done', value: made.value.id } : made;
}
