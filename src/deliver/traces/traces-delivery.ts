import type { TracesWay } from '../../mlflow/traces-client.ts';
import { type Backoff, fullJitter } from '../backoff.ts';
import { createPace } from '../usage/pace.ts';
import { createDoubts } from './doubts.ts';
import { passOver } from './pass.ts';
import type { Sending } from './send-traces.ts';
import type { Failure, TraceDeliveryParts } from './trace-parts.ts';

/**
 * How long it waits for more calls, in milliseconds: after a silence the first call is sent soon; then
 * there is a request each so often, or a hundred calls.
 */
const look = 2_000;
const gather = 15_000;
/** Requests that are not full: ten at once, then one a second, however many experiments there are. */
const smallBurst = 10;
const smallEvery = 1_000;
const waits: Backoff = { first: 2_000, longest: 300_000 };
/** After so many refusals of traces alone, with nothing kept before, the server takes none. */
const mostRefusals = 3;
/** MLflow takes traces of a deleted experiment, where nobody sees them; so it is looked for each hour. */
const forgetEvery = 3_600_000;

/**
 * Gives each call that wants one a trace, a hundred a request where the server takes OTLP. It finds out
 * by itself how traces go there, and waives them where they do not.
 *
 * @returns Resolves when `over` ends it, or when nothing wants a trace any more.
 */
export async function deliverTraces(parts: TraceDeliveryParts): Promise<void> {
  const { journal, untilKept, clock, wish, hold, over, onWay } = parts;
  const found = await untilFound(parts);
  if (found === undefined) return;
  let way = found;
  onWay(way);

  const doubts = createDoubts(clock, parts.random);
  const sending: Sending = {
    parts,
    doubts,
    ended: async (seqs, end) => {
      await untilKept(() => journal.tracesEnded(seqs, end, clock.now()));
      doubts.forget(seqs);
    },
  };
  const pace = createPace(clock, smallBurst, smallEvery);
  let forgetAt = clock.ticks() + forgetEvery;
  let hasWorked = false;
  let refusals = 0;
  let failures = 0;
  while (way.kind !== 'none' && !over.aborted) {
    if (clock.ticks() >= forgetAt) {
      parts.experiments.forget();
      forgetAt = clock.ticks() + forgetEvery;
    }
    const { failure, kept, tried, hasMore } = await passOver(sending, way, pace);
    hasWorked ||= kept > 0;
    failures = failure === undefined ? 0 : failures + 1;
    // A path that has answered before is refused for another reason, which may pass.
    if (!hasWorked && (await areRefusedAlone(parts, failure))) refusals += 1;
    if (refusals === mostRefusals) {
      refusals = 0;
      const isMissing = isHold(failure, /^unsupported$/);
      way = isMissing && wish === 'on' && way.kind === 'otlp' ? { kind: 'v3' } : { kind: 'none' };
      // What was refused is asked for no more.
      await clock.sleep(untilProbe(parts), over);
      hold.succeeded();
      onWay(way);
    } else if (failure !== undefined || !hasMore) {
      await rest(parts, failures, tried > 0 ? gather : look);
    }
  }
  if (!over.aborted) await untilKept(() => journal.waiveTraces());
}

/** Asks how traces go there until it is known; absent when it ended before. */
async function untilFound(parts: TraceDeliveryParts): Promise<TracesWay | undefined> {
  const { mlflow, wish, hold, over } = parts;
  for (let failures = 1; !over.aborted; failures += 1) {
    if (hold.allows() !== 'none') {
      const found = await mlflow.findWay(wish);
      if (found.kind === 'done') {
        hold.succeeded();
        return found.value;
      }
      if (found.kind === 'hold') hold.refused(found);
      else if (found.kind !== 'reject') hold.failed(found.reason);
    }
    await rest(parts, failures, look);
  }
  return undefined;
}

async function rest(parts: TraceDeliveryParts, failures: number, least: number): Promise<void> {
  const { clock, random, over } = parts;
  const backoff = failures === 0 ? 0 : fullJitter(waits, failures - 1, random);
  await clock.sleep(Math.max(failures === 0 ? least : look, backoff, untilProbe(parts)), over);
}

/** How long the server is to be left alone, in milliseconds. */
function untilProbe({ hold, clock }: TraceDeliveryParts): number {
  const state = hold.state();
  return state.state === 'held' ? Math.max(0, state.probeAt - clock.now()) : 0;
}

/** Whether the server refuses traces, and answers what else it is asked. */
async function areRefusedAlone(
  { mlflow, wish }: TraceDeliveryParts,
  failure: Failure | undefined,
): Promise<boolean> {
  const isRefused =
    isHold(failure, /^unsupported$/) ||
    (wish === 'auto' && isHold(failure, /^(forbidden|unauthorized)$/));
  return isRefused && (await mlflow.serves()).kind === 'done';
}

function isHold(failure: Failure | undefined, reason: RegExp): boolean {
  return failure?.kind === 'hold' && reason.test(failure.reason);
}
