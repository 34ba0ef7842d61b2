import type { TracedCall } from '../../journal/detail.ts';
import type { TracesWay } from '../../mlflow/traces-client.ts';
import type { Pace } from '../usage/pace.ts';
import { deliverBatch } from './deliver-batch.ts';
import type { Sending } from './send-traces.ts';
import type { Failure } from './trace-parts.ts';

/** MLflow is fastest with a hundred a request. */
const batch = 100;
/** Calls that are looked at at once, of whatever experiments; a request is of one. */
const looks = 1_000;
/** After so many looks those that failed have their turn again. */
const mostLooks = 20;
/** Batches under way at once: while one waits for the server, others are made. */
const mostUnderWay = 3;
/** How long it waits where the pace allows no small request, in milliseconds. */
const paceWait = 1_000;

/** What came of a pass over what wants a trace. */
export interface Pass {
  /** Calls that it tried to give a trace, and how many have one now. */
  tried: number;
  kept: number;
  failure?: Failure;
  /** It may not have seen all calls. */
  hasMore: boolean;
}

/** Tries each call that wants a trace once, the oldest first; what fails waits for the next pass. */
export async function passOver(
  { parts, doubts, ended }: Sending,
  way: Exclude<TracesWay, { kind: 'none' }>,
  pace: Pace,
): Promise<Pass> {
  const { journal, hold, untilKept, clock, over } = parts;
  const underWay = new Set<Promise<void>>();
  const passed: Pass = { tried: 0, kept: 0, hasMore: false };
  const sending: Sending = {
    parts,
    doubts,
    ended: async (seqs, end) => {
      await ended(seqs, end);
      if (end === 'kept') passed.kept += seqs.length;
    },
  };
  const mayGoOn = () => passed.failure === undefined && !over.aborted && hold.allows() !== 'none';

  const begin = async (calls: readonly TracedCall[]) => {
    const seqs = calls.map(({ seq }) => seq);
    await untilKept(() => journal.beginTraces(seqs, clock.now()));
    passed.tried += calls.length;
    if (calls.length < batch) pace.spend(1);
    const one = deliverBatch(sending, way, calls).then((failure) => {
      underWay.delete(one);
      if (failure !== undefined) passed.failure ??= failure;
    });
    underWay.add(one);
  };

  let after = 0;
  for (let look = 0; look < mostLooks && mayGoOn(); look += 1) {
    const calls = await untilKept(() => journal.wantingTraces(looks, after));
    passed.hasMore = calls.length === looks;
    after = calls.at(-1)?.seq ?? after;
    for (const some of batchesOf(calls)) {
      // Where very many wait, small requests wait for no pace: there are that many experiments.
      while (!passed.hasMore && some.length < batch && !pace.allows() && mayGoOn()) {
        await clock.sleep(paceWait, over);
      }
      if (!mayGoOn()) break;
      const isProbe = hold.allows() === 'probe';
      await begin(some);
      if (isProbe) await Promise.all(underWay);
      else if (underWay.size === mostUnderWay) await Promise.race(underWay);
    }
    if (!passed.hasMore) break;
  }
  await Promise.all(underWay);
  return passed;
}

/** Calls by their experiments, as many together as go into a request. */
function batchesOf(calls: readonly TracedCall[]): TracedCall[][] {
  const byExperiment = Map.groupBy(calls, ({ experiment }) => experiment);
  const batches: TracedCall[][] = [];
  for (const group of byExperiment.values()) {
    for (let at = 0; at < group.length; at += batch) batches.push(group.slice(at, at + batch));
  }
  return batches;
}
