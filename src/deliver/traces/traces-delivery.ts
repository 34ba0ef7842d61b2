import type { TracesWay } from '../../mlflow/traces-client.ts';
import { type Backoff, fullJitter } from '../backoff.ts';
import { createPace, type Pace } from '../usage/pace.ts';
import { createDoubts } from './doubts.ts';
import { passOver } from './pass.ts';
import { isRefusedAlone } from './refused-alone.ts';
import type { Sending } from './send-traces.ts';
import type { TraceDeliveryParts } from './trace-parts.ts';

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
/**
 * So often it is asked anew how traces go there, since a server may be another one by now, and experiments
 * are looked for anew, since MLflow takes traces of a deleted one, where nobody sees them.
 */
const askEvery = 3_600_000;

/**
 * Gives each call that wants one a trace, a hundred a request where the server takes OTLP. It finds out
 * by itself how traces go there, and waives them where they do not.
 *
 * @returns Resolves when `over` ends it.
 */
export async function deliverTraces(parts: TraceDeliveryParts): Promise<void> {
  const { journal, untilKept, clock, over, onWay } = parts;
  const doubts = createDoubts(clock, parts.random);
  const course: Course = {
    parts,
    doubts,
    ended: async (seqs, end) => {
      await untilKept(() => journal.tracesEnded(seqs, end, clock.now()));
      doubts.forget(seqs);
    },
    pace: createPace(clock, smallBurst, smallEvery),
    hasWorked: false,
  };
  let told: TracesWay['kind'] | undefined;
  let way: TracesWay | undefined;
  while (!over.aborted) {
    way ??= await untilFound(parts);
    if (way === undefined) return;
    const { kind } = way;
    if (kind !== told) onWay(way);
    told = kind;
    await untilKept(() => journal.waiveTraces(kind === 'none'));
    if (way.kind !== 'none') way = await goBy(course, way);
    else {
      await clock.sleep(askEvery, over);
      way = undefined;
    }
  }
}

/** What stays while ways change. */
interface Course extends Sending {
  pace: Pace;
  /** A trace was kept. */
  hasWorked: boolean;
}

/**
 * Delivers by a way until it is time to ask again.
 *
 * @returns The next way, where the server takes no traces by this one.
 */
async function goBy(
  course: Course,
  way: Exclude<TracesWay, { kind: 'none' }>,
): Promise<TracesWay | undefined> {
  const { parts, pace } = course;
  const { clock, wish, hold, over } = parts;
  const until = clock.ticks() + askEvery;
  let refusals = 0;
  let failures = 0;
  parts.experiments.forget();
  while (!over.aborted && clock.ticks() < until) {
    const { failure, kept, tried, hasMore } = await passOver(course, way, pace);
    course.hasWorked ||= kept > 0;
    failures = failure === undefined ? 0 : failures + 1;
    // A path that has answered before is refused for another reason, which may pass.
    if (!course.hasWorked && failure?.isOfTraces && (await isRefusedAlone(parts, failure))) {
      refusals += 1;
    }
    if (refusals === mostRefusals) {
      // What was refused is asked for no more.
      await clock.sleep(untilProbe(parts), over);
      hold.succeeded();
      const isMissing = failure?.kind === 'hold' && failure.reason === 'unsupported';
      return { kind: isMissing && wish === 'on' && way.kind === 'otlp' ? 'v3' : 'none' };
    }
    if (failure !== undefined || !hasMore) {
      await rest(parts, failures, tried > 0 ? gather : look);
    }
  }
  return undefined;
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
