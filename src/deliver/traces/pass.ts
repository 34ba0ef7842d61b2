import type { TracesWay } from '../../mlflow/traces-client.ts';
import type { Pace } from '../usage/pace.ts';
import { deliverBatch } from './deliver-batch.ts';
import type { Sending } from './send-traces.ts';
import type { Failure } from './trace-parts.ts';

/** MLflow is fastest with a hundred a request. */
const batch = 100;
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
  /** There was another batch, of calls that came meanwhile. */
  hasMore: boolean;
}

/**
 * Tries each call once that wanted a trace when the pass began; what fails waits for the next pass. A
 * batch is of one experiment, and calls of others stand between its own: so the journal is read from its
 * beginning again and again, as long as that finds any that were not tried.
 */
export async function passOver(
  { parts, doubts, ended }: Sending,
  way: Exclude<TracesWay, { kind: 'none' }>,
  pace: Pace,
): Promise<Pass> {
  const { journal, hold, untilKept, clock, over } = parts;
  const startedAt = clock.now();
  /** Tried, and not ended. */
  const open = new Set<number>();
  const underWay = new Set<Promise<void>>();
  const passed: Pass = { tried: 0, kept: 0, hasMore: false };
  const sending: Sending = {
    parts,
    doubts,
    ended: async (seqs, end) => {
      await ended(seqs, end);
      for (const seq of seqs) open.delete(seq);
      if (end === 'kept') passed.kept += seqs.length;
    },
  };
  const mayGoOn = () => passed.failure === undefined && !over.aborted && hold.allows() !== 'none';

  let after = 0;
  let found = 0;
  while (mayGoOn()) {
    const isProbe = hold.allows() === 'probe';
    const calls = await untilKept(() => journal.takeTraces(batch, clock.now(), after));
    const [first] = calls;
    if (first === undefined || first.receivedAt > startedAt) {
      doubts.clear(calls.filter((call) => !doubts.isUnclear(call)).map(({ seq }) => seq));
      await Promise.all(underWay);
      passed.hasMore = calls.length === batch;
      if (found === 0) break;
      found = 0;
      after = 0;
      continue;
    }
    after = calls.at(-1)?.seq ?? after;
    const fresh = calls.filter(({ seq }) => !open.has(seq));
    if (fresh.length === 0) {
      after = beforeGap(calls);
      continue;
    }
    found += fresh.length;
    passed.tried += fresh.length;
    for (const { seq } of fresh) open.add(seq);
    if (fresh.length < batch) pace.spend(1);
    const one = deliverBatch(sending, way, fresh).then((failure) => {
      underWay.delete(one);
      if (failure !== undefined) passed.failure ??= failure;
    });
    underWay.add(one);
    if (isProbe || fresh.length < batch) {
      // Those of other experiments stand between these.
      await Promise.all(underWay);
      after = 0;
    } else if (underWay.size === mostUnderWay) await Promise.race(underWay);
    while (!pace.allows() && mayGoOn()) await clock.sleep(paceWait, over);
  }
  await Promise.all(underWay);
  return passed;
}

/** The last of the calls before the first gap between them, in which others may stand. */
function beforeGap(calls: readonly { seq: number }[]): number {
  const seqs = calls.map(({ seq }) => seq);
  const gap = seqs.findIndex((seq, index) => seqs[index + 1] !== seq + 1);
  return seqs[gap] ?? 0;
}
