import { systemClock } from '../../deliver/clock.ts';
import type { Outcome } from '../../mlflow/outcome.ts';
import { createTracesClient } from '../../mlflow/traces-client.ts';
import { outcomeWords } from '../outcome-words.ts';
import type { OpenMlflow } from '../with-mlflow.ts';
import type { ReadRun, RunReader } from './read-run.ts';
import { askDaemon } from './sidecar-link.ts';
import { StepError } from './steps.ts';

/** Milliseconds between two looks. */
const everyMs = 500;

/**
 * Looks until there is something.
 *
 * @param look What there is by now.
 * @param otherwise What to say when the time is over.
 * @throws StepError with those words.
 */
export async function waitFor<T>(
  look: () => Promise<T | undefined>,
  withinMs: number,
  otherwise: () => Promise<string>,
): Promise<T> {
  const end = systemClock.ticks() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (systemClock.ticks() + everyMs > end) throw new StepError(await otherwise());
    await systemClock.sleep(everyMs);
  }
}

/** What an outcome brought; what may pass by itself is no failure yet. */
export function brought<T>(outcome: Outcome<T>): T | undefined {
  if (outcome.kind === 'done') return outcome.value;
  const mayPass =
    outcome.kind === 'retry' ||
    outcome.kind === 'ambiguous' ||
    (outcome.kind === 'hold' && /^(throttled|unavailable)$/.test(outcome.reason));
  if (mayPass) return undefined;
  throw new StepError(outcomeWords(outcome));
}

export interface Awaited {
  /** Experiments that the run may be in. */
  experiment: string;
  tag: readonly [name: string, value: string];
  sidecarUrl: string;
  withinMs: number;
}

/** Waits for a complete run. */
export function waitForRun(reader: RunReader, awaited: Awaited): Promise<ReadRun> {
  const { experiment, tag, sidecarUrl, withinMs } = awaited;
  let seen: ReadRun | undefined;
  const look = async () => {
    const ids = brought(await reader.experiments(experiment));
    seen = ids && brought(await reader.find(ids, tag));
    return seen?.complete === true ? seen : undefined;
  };
  return waitFor(look, withinMs, async () => {
    const waited = `after ${Math.round(withinMs / 1_000)} s`;
    const { held } = await askDaemon(sidecarUrl);
    if (held.length > 0) {
      return `no run ${waited}: the sidecar waits for a destination (${held.join('; ')}); "doctor" says more`;
    }
    return seen === undefined
      ? `no run in ${experiment} ${waited}: other calls may come first ("status" tells what waits), or the sidecar records elsewhere than these settings say`
      : `the run ${seen.id} is not complete ${waited}: "status" tells what waits, the sidecar's log why`;
  });
}

/** Waits for a trace. */
export function waitForTrace(
  { send, told }: OpenMlflow,
  traceId: string,
  withinMs: number,
): Promise<string> {
  const client = createTracesClient(send, told);
  const look = async () => {
    const way = brought(await client.findWay('on'));
    if (way === undefined) return undefined;
    if (way.kind === 'none') throw new StepError('this MLflow takes no traces');
    const ask = way.kind === 'otlp' ? way.ask : 'traces/batchGet';
    return brought(await client.present([traceId], ask))?.has(traceId) === true
      ? `tr-${traceId}`
      : undefined;
  };
  return waitFor(look, withinMs, async () => `no trace after ${Math.round(withinMs / 1_000)} s`);
}

/** Where a run is to be seen: in a plain MLflow by its address, in SageMaker's by its UI. */
export function runPage({ destination }: OpenMlflow, { id, experimentId }: ReadRun): string {
  const page = `#/experiments/${experimentId}/runs/${id}`;
  if (destination.identity !== destination.url.href)
    return `${id} ("server url" opens its UI: ${page})`;
  return new URL(page, destination.url).href;
}

/** @throws StepError which names each value that is not as it should be. */
export function compare(
  run: ReadRun,
  metrics: Readonly<Record<string, number | undefined>>,
  tags: Readonly<Record<string, string | undefined>>,
): string {
  const wrong: string[] = [];
  const right: string[] = [];
  const look = (kind: string, name: string, held: unknown, wanted: unknown) => {
    if (wanted === undefined) return;
    if (held === wanted) right.push(`${name} ${String(held)}`);
    else
      wrong.push(`${kind} ${name} is ${String(held ?? 'not there')} instead of ${String(wanted)}`);
  };
  for (const [name, wanted] of Object.entries(metrics)) {
    look('metric', name, run.metrics.get(name), wanted);
  }
  for (const [name, wanted] of Object.entries(tags)) look('tag', name, run.tags.get(name), wanted);
  if (wrong.length > 0) throw new StepError(`MLflow holds something else: ${wrong.join('; ')}`);
  return right.join(', ');
}
