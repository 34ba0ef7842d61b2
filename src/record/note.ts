import type { CallRecord } from '../call/call-record.ts';
import { beginningOf } from '../call/fields.ts';
import { tracePage } from './trace/trace-page.ts';

/** The tag that MLflow shows as a run's description. */
export const noteTag = 'mlflow.note.content';

/** The note of a call that has a trace in the same experiment: a link leads there. */
export function tracedNote(
  call: CallRecord,
  experimentId: string,
): readonly [name: string, value: string] {
  return [noteTag, `${noteOf(call)} · [trace](${tracePage(experimentId, call.recordId)})`];
}

/**
 * A line for MLflow's description of a run, in Markdown: how the call ended, on what, for how much.
 * It holds names and numbers alone, nothing that was asked or answered.
 */
export function noteOf(call: CallRecord): string {
  const { tokens, cost, times } = call;
  const facts = [
    call.error === undefined ? '**success**' : `**failure**: ${call.error.type}`,
    code(call.model ?? call.modelGroup),
    call.cacheHit ? 'from the cache' : undefined,
    times.source === 'call' ? duration(times.end - times.start) : undefined,
    tokens.total === undefined ? undefined : `${tokens.total} tokens`,
    cost.usd === undefined ? undefined : `${Number(cost.usd.toPrecision(3))} USD (estimate)`,
    call.caller.teamAlias === undefined ? undefined : `team ${code(call.caller.teamAlias)}`,
  ];
  return facts.filter((fact) => fact !== undefined).join(' · ');
}

function duration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** `name` as Markdown code, so that nothing in it is taken for markup. */
function code(name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  // A blank line would end the code, whose text is a client's choice at times.
  const line = beginningOf(name, 100).replaceAll('`', "'").replace(/\s+/g, ' ');
  return `\`${line}\``;
}
