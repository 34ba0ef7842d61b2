import type { Outcome } from '../../mlflow/outcome.ts';
import type { TracesWay } from '../../mlflow/traces-client.ts';
import type { Doubts } from './doubts.ts';
import type { LoadedTrace } from './load-trace.ts';
import type { Failure, TraceDeliveryParts } from './trace-parts.ts';

export type OtlpWay = Extract<TracesWay, { kind: 'otlp' }>;

/** Ends traces in the journal. */
export type EndTraces = (seqs: readonly number[], end: 'kept' | 'given up') => Promise<void>;

export interface Sending {
  parts: TraceDeliveryParts;
  doubts: Doubts;
  ended: EndTraces;
}

/** What of a refusal says that nothing of the request was kept, whatever the version. */
const keptNothing =
  /^(held|unreachable|no_credentials|throttled|unauthorized|forbidden|no_such_server)$/;

/**
 * Sends traces in one request, and ends those that the server has. What it finds unacceptable, or
 * fails over, is halved until the trace is found. Up to 3.11 the server may have kept some of what
 * it refused, so that it is asked before a half is sent.
 *
 * @returns Why it stopped before its end.
 */
export async function sendTraces(
  { parts, doubts, ended }: Sending,
  way: OtlpWay,
  experimentId: string,
  traces: readonly LoadedTrace[],
): Promise<Failure | undefined> {
  const { mlflow, hold, experiments, onLoss, over } = parts;
  const waiting: (readonly LoadedTrace[])[] = [traces];

  /** Stops: `some` were sent, what waits was not. */
  const stop = (because: Failure, some: readonly LoadedTrace[], isClear: boolean): Failure => {
    doubts.clear(waiting.flat().map(seqOf));
    if (isClear || way.resendSafe) doubts.clear(some.map(seqOf));
    else doubts.unclear(some.map(seqOf));
    return because;
  };

  for (let some = waiting.shift(); some !== undefined; some = waiting.shift()) {
    const plans = some.map(({ plan }) => plan);
    const outcome = await mlflow.post(experimentId, plans, way.gzip);
    if (outcome.kind === 'done') {
      hold.succeeded();
      doubts.othersPassed();
      await ended(some.map(seqOf), 'kept');
      continue;
    }
    if (over.aborted) return stop(outcome, some, false);
    if (outcome.kind === 'hold') {
      hold.refused(outcome);
      const isClear = way.atomic || keptNothing.test(outcome.reason);
      return stop({ ...outcome, isOfTraces: true }, some, isClear);
    }
    if (outcome.kind === 'ambiguous') {
      hold.failed(outcome.reason);
      return stop(outcome, some, false);
    }
    if (outcome.kind === 'reject' && outcome.reason !== 'invalid') {
      experiments.forget();
      return stop(outcome, some, true);
    }
    if (outcome.kind === 'retry') {
      hold.failed(outcome.reason);
      if (outcome.suspect === undefined || hold.allows() !== 'all') {
        return stop(outcome, some, way.atomic);
      }
    }
    // Unacceptable, or the server failed over it: one of these is at fault.
    const [first] = some;
    if (first !== undefined && some.length === 1) {
      const isAtFault = outcome.kind === 'reject' || doubts.failed(first.seq);
      if (isAtFault) {
        await ended([first.seq], 'given up');
        if (outcome.kind === 'reject') onLoss(1, 'rejected', outcome.answer);
        else onLoss(1, 'server_error', outcome.reason);
      } else {
        // It waits, and is sent by itself from now on.
        if (way.atomic) doubts.clear([first.seq]);
        else doubts.unclear([first.seq]);
      }
      continue;
    }
    const left = way.atomic ? done(some) : await notThere({ parts, doubts, ended }, way, some);
    if (left.kind !== 'done') return stop(left, some, false);
    const half = left.value.length >> 1;
    const halves = [left.value.slice(0, half), left.value.slice(half)];
    waiting.unshift(...halves.filter(({ length }) => length > 0));
  }
  return undefined;
}

/** Asks which of these the server has, and ends them. */
async function notThere(
  { parts, ended }: Sending,
  way: OtlpWay,
  traces: readonly LoadedTrace[],
): Promise<Outcome<readonly LoadedTrace[]>> {
  const ids = traces.map(({ plan }) => plan.traceId);
  const there = await parts.mlflow.present(ids, way.ask);
  if (there.kind !== 'done') {
    if (there.kind === 'hold') parts.hold.refused(there);
    return there;
  }
  const found = traces.filter(({ plan }) => there.value.has(plan.traceId));
  if (found.length > 0) await ended(found.map(seqOf), 'kept');
  return done(traces.filter(({ plan }) => !there.value.has(plan.traceId)));
}

function done(traces: readonly LoadedTrace[]): Outcome<readonly LoadedTrace[]> {
  return { kind: 'done', value: traces };
}

function seqOf({ seq }: { seq: number }): number {
  return seq;
}
