import type { TracedCall } from '../../journal/detail.ts';
import type { Outcome } from '../../mlflow/outcome.ts';
import type { TracesWay } from '../../mlflow/traces-client.ts';
import { traceIdsOf } from '../../record/trace/trace-ids.ts';
import { type LoadedTrace, loadTrace } from './load-trace.ts';
import { isRefusedAlone } from './refused-alone.ts';
import { type OtlpWay, type Sending, sendTraces } from './send-traces.ts';
import { startTrace } from './start-traces.ts';
import type { Failure } from './trace-parts.ts';

/** About the most bytes of a request; more go in several. */
const mostBytes = 4 * 1024 * 1024;
/** Traces that are made one by one at a time. */
const startedAtOnce = 4;

/**
 * Gives calls of one experiment their traces, as far as it can. They go where the runs of these calls go:
 * MLflow opens any experiment on its Overview, which shows what its traces say, and is empty without
 * them; and a person who prefers the list of runs gets that, traces or not (seen on 3.10.1 and 3.17.2).
 *
 * @returns Why not all of them, where that says something of more than one trace.
 */
export async function deliverBatch(
  sending: Sending,
  way: Exclude<TracesWay, { kind: 'none' }>,
  taken: readonly TracedCall[],
): Promise<Failure | undefined> {
  const { parts, doubts } = sending;
  const calls = taken.filter(({ seq }) => !doubts.mustWait(seq));
  const [first] = calls;
  if (first === undefined) return undefined;
  const sure = calls.filter((call) => !doubts.isUnclear(call));
  const experiment = await parts.experiments.idOf(first.experiment);
  if (experiment.kind === 'reject' && experiment.reason === 'invalid') {
    await sending.ended(
      calls.map(({ seq }) => seq),
      'given up',
    );
    parts.onLoss(calls.length, 'experiment', experiment.answer);
    return undefined;
  }
  if (experiment.kind !== 'done') {
    if (experiment.kind === 'hold') parts.hold.refused(experiment);
    doubts.clear(sure.map(({ seq }) => seq));
    return experiment;
  }
  if (way.kind === 'v3') return startAll(sending, experiment.value, calls);
  if (way.resendSafe) return sendAll(sending, way, experiment.value, calls);
  // Whatever becomes of the question, those that are sure do not wait for it.
  const failure = await sendAll(sending, way, experiment.value, sure);
  if (failure !== undefined) return failure;
  const unclear = calls.filter((call) => doubts.isUnclear(call) && doubts.isRipe(call));
  const missing = await askAbout(sending, way, unclear);
  return missing.kind === 'done' ? sendAll(sending, way, experiment.value, missing.value) : missing;
}

/**
 * Those of calls whose traces may be there that the server does not have. The others end; all of them
 * where the server does not answer such a question: a trace that is sent twice would count twice.
 */
async function askAbout(
  { parts, doubts, ended }: Sending,
  way: OtlpWay,
  calls: readonly TracedCall[],
): Promise<Outcome<TracedCall[]>> {
  if (calls.length === 0) return { kind: 'done', value: [] };
  const idOf = ({ record }: TracedCall) => traceIdsOf(record.recordId).traceId;
  const there = await parts.mlflow.present(calls.map(idOf), way.ask);
  if (there.kind !== 'done') {
    if ((await isRefusedAlone(parts, there)) && doubts.questionRefused()) {
      const seqs = calls.map(({ seq }) => seq);
      await ended(seqs, 'given up');
      parts.onLoss(calls.length, 'unclear', `${way.ask} is refused`);
      return { kind: 'done', value: [] };
    }
    if (there.kind === 'hold') parts.hold.refused(there);
    else if (there.kind !== 'reject') parts.hold.failed(there.reason);
    return there;
  }
  const found = calls.filter((call) => there.value.has(idOf(call)));
  if (found.length > 0)
    await ended(
      found.map(({ seq }) => seq),
      'kept',
    );
  return { kind: 'done', value: calls.filter((call) => !there.value.has(idOf(call))) };
}

/** Loads calls and sends them in requests of some megabytes; one that the server failed over by itself. */
async function sendAll(
  sending: Sending,
  way: OtlpWay,
  experimentId: string,
  calls: readonly TracedCall[],
): Promise<Failure | undefined> {
  const { parts, doubts } = sending;
  let group: LoadedTrace[] = [];
  let bytes = 0;
  let failure: Failure | undefined;
  const send = async () => {
    const traces = group;
    group = [];
    bytes = 0;
    if (traces.length === 0) return;
    failure = await sendTraces(sending, way, experimentId, traces);
  };

  for (const [index, call] of calls.entries()) {
    // What stopped one request stops the next one.
    if (failure !== undefined) {
      doubts.clear(calls.slice(index).map(({ seq }) => seq));
      break;
    }
    const trace = await loadTrace(parts, call);
    const isAlone = doubts.isSuspect(call.seq);
    if (isAlone || (group.length > 0 && bytes + trace.bytes > mostBytes)) await send();
    group.push(trace);
    bytes += trace.bytes;
    if (isAlone) await send();
  }
  if (failure === undefined) await send();
  else doubts.clear(group.map(({ seq }) => seq));
  return failure;
}

async function startAll(
  sending: Sending,
  experimentId: string,
  calls: readonly TracedCall[],
): Promise<Failure | undefined> {
  for (let at = 0; at < calls.length; at += startedAtOnce) {
    const some = calls.slice(at, at + startedAtOnce);
    const failures = await Promise.all(
      some.map(async (call) =>
        startTrace(sending, experimentId, await loadTrace(sending.parts, call)),
      ),
    );
    const failure = failures.find((one) => one !== undefined);
    if (failure !== undefined) return failure;
  }
  return undefined;
}
