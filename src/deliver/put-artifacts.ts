import type { Attempt } from './attempt.ts';
import type { CallEnd } from './call-end.ts';

/** The call's files: its body, unless none is wanted, and for a failure its traceback. */
export async function putArtifacts(
  attempt: Attempt,
  artifactUri: string,
): Promise<CallEnd | undefined> {
  const { parts, call, plan } = attempt;
  const { traceback } = plan;
  const body = () => parts.body(call.seq);
  const hasBody = call.record.body !== 'dropped';
  return (
    (hasBody ? await putArtifact(attempt, artifactUri, 'call.json', body) : undefined) ??
    (traceback === undefined
      ? undefined
      : await putArtifact(attempt, artifactUri, 'traceback.txt', async () =>
          Buffer.from(traceback, 'utf8'),
        ))
  );
}

async function putArtifact(
  attempt: Attempt,
  artifactUri: string,
  name: string,
  content: () => Promise<Uint8Array | undefined>,
): Promise<CallEnd | undefined> {
  if (attempt.isDone(name) || attempt.progress.shed?.includes(name)) return undefined;
  const { holds, mlflow, clock } = attempt.parts;
  const hold = holds.artifacts.state();
  if (hold.state === 'held' && clock.now() < hold.probeAt) return attempt.later(hold.probeAt);
  const bytes = await content();
  const sent = bytes && mlflow.putArtifact(artifactUri, name, bytes);
  if (sent === undefined) return shed(attempt, name);
  const outcome = await sent;
  switch (outcome.kind) {
    case 'done':
      holds.artifacts.succeeded();
      return attempt.stepDone(name);
    case 'reject':
      return shed(attempt, name);
    case 'hold':
      return { kind: 'held', by: 'artifacts', outcome, progress: attempt.progress };
    default:
      return attempt.failed(outcome);
  }
}

async function shed(attempt: Attempt, name: string): Promise<undefined> {
  const { progress } = attempt;
  await attempt.keep({ ...progress, shed: [...(progress.shed ?? []), name] });
}
