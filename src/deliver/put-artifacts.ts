import type { Attempt } from './attempt.ts';
import type { BegunRun } from './begin-run.ts';
import type { BodyPlace } from './body-room.ts';
import type { CallEnd } from './call-end.ts';
import { isAtFault, judge } from './judge.ts';

/** The call's files: its body, unless none is wanted, and for a failure its traceback. */
export async function putArtifacts(attempt: Attempt, run: BegunRun): Promise<CallEnd | undefined> {
  const { parts, call, plan } = attempt;
  const { traceback } = plan;
  const hasBody = call.record.body !== 'dropped';
  const putBody = (place?: BodyPlace) =>
    putArtifact(attempt, run, 'call.json', () => parts.body(call.seq, place));
  return (
    (hasBody ? await parts.bodyRoom.within(call.bodyBytes, putBody) : undefined) ??
    (traceback === undefined
      ? undefined
      : await putArtifact(attempt, run, 'traceback.txt', async () =>
          Buffer.from(traceback, 'utf8'),
        ))
  );
}

async function putArtifact(
  attempt: Attempt,
  run: BegunRun,
  name: string,
  content: () => Promise<Uint8Array | undefined>,
): Promise<CallEnd | undefined> {
  if (attempt.isDone(name) || attempt.progress.shed?.includes(name)) return undefined;
  const { call, parts } = attempt;
  const { holds, artifacts } = parts;
  const hold = holds.artifacts.state();
  if (hold.state === 'held' && holds.artifacts.allows() === 'none') {
    return attempt.later(hold.probeAt);
  }
  const bytes = await content();
  const sent = bytes && artifacts.put(run, name, bytes);
  if (sent === undefined) return shed(attempt, name);
  const outcome = await sent;
  switch (outcome.kind) {
    case 'done':
      holds.artifacts.succeeded();
      return attempt.stepDone(name);
    case 'reject':
      return shed(attempt, name);
    case 'hold':
      // Not sent at all, since MLflow itself is held.
      if (outcome.reason === 'held') return judge(attempt, outcome);
      if (outcome.suspect && isAtFault(attempt, outcome.suspect)) return shed(attempt, name);
      return { kind: 'held', by: 'artifacts', outcome, progress: attempt.progress };
    case 'retry':
    case 'ambiguous':
      holds.artifacts.failed(outcome.reason);
      if (isAtFault(attempt, 'artifacts/put')) return shed(attempt, name);
      return attempt.later(attempt.backoff(), call.attempts + 1);
  }
}

async function shed(attempt: Attempt, name: string): Promise<undefined> {
  const { progress } = attempt;
  await attempt.keep({ ...progress, shed: [...(progress.shed ?? []), name] });
}
