import type { Attempt } from './attempt.ts';
import type { BegunRun } from './begin-run.ts';
import type { BodyPlace } from './body-room.ts';
import type { CallEnd } from './call-end.ts';
import { dead, isAtFault, judge } from './judge.ts';
import type { RunFile } from './run-to-make.ts';

/**
 * The run's files, one after the other. One that the place does not take goes in halves; what cannot be
 * halved is left out, and noted as shed. No run at all, where nothing is stored of a file that it cannot be
 * without.
 */
export async function putArtifacts(attempt: Attempt, run: BegunRun): Promise<CallEnd | undefined> {
  for (const file of attempt.run.files) {
    const end = await putFile(attempt, run, file);
    if (end !== undefined) return end;
    if (file.isEssential && !isStored(attempt, file)) {
      return dead('rejected', file.name);
    }
  }
  return undefined;
}

async function putAll(
  attempt: Attempt,
  run: BegunRun,
  files: readonly RunFile[],
): Promise<CallEnd | undefined> {
  for (const file of files) {
    const end = await putFile(attempt, run, file);
    if (end !== undefined) return end;
  }
  return undefined;
}

async function putFile(
  attempt: Attempt,
  run: BegunRun,
  file: RunFile,
): Promise<CallEnd | undefined> {
  if (attempt.progress.shed?.includes(file.name)) {
    return file.instead === undefined ? undefined : putFile(attempt, run, file.instead);
  }
  if (attempt.isDone(halved(file))) return putAll(attempt, run, file.halves?.() ?? []);
  if (!attempt.isDone(file.name)) {
    const put = (place?: BodyPlace) => putOnce(attempt, run, file, place);
    const end = await (file.roomBytes === undefined
      ? put()
      : attempt.parts.bodyRoom.within(file.roomBytes, put));
    if (end === 'not taken') return withoutIt(attempt, run, file);
    if (end !== 'stored') return end;
    await attempt.stepDone(file.name);
  }
  file.onStored?.();
  return undefined;
}

/** `not taken`: it is not there, or cannot be stored as it is. */
async function putOnce(
  attempt: Attempt,
  run: BegunRun,
  file: RunFile,
  place?: BodyPlace,
): Promise<CallEnd | 'stored' | 'not taken'> {
  const { holds, artifacts } = attempt.parts;
  const hold = holds.artifacts.state();
  if (hold.state === 'held' && holds.artifacts.allows() === 'none') {
    return attempt.later(hold.probeAt);
  }
  const content = await file.content(place);
  const sent =
    content &&
    (file.uri === undefined
      ? artifacts.put(run, file.name, content)
      : artifacts.putAt(file.uri, content));
  if (sent === undefined) return 'not taken';
  const outcome = await sent;
  switch (outcome.kind) {
    case 'done':
      holds.artifacts.succeeded();
      return 'stored';
    case 'reject':
      return 'not taken';
    case 'hold':
      // Not sent at all, since MLflow itself is held.
      if (outcome.reason === 'held') return judge(attempt, outcome);
      if (outcome.suspect && isAtFault(attempt, outcome.suspect)) return 'not taken';
      return { kind: 'held', by: 'artifacts', outcome, progress: attempt.progress };
    case 'retry':
    case 'ambiguous':
      holds.artifacts.failed(outcome.reason);
      return isAtFault(attempt, 'artifacts/put') ? 'not taken' : attempt.failed();
  }
}

/** The file in halves; without it, where there are none. */
async function withoutIt(
  attempt: Attempt,
  run: BegunRun,
  file: RunFile,
): Promise<CallEnd | undefined> {
  const halves = file.halves?.();
  const { instead } = file;
  // What is sent in its place has to be found at fault by itself.
  if (halves !== undefined || instead !== undefined) {
    const { failures: _, ...progress } = attempt.progress;
    attempt.progress = progress;
  }
  if (halves !== undefined) {
    await attempt.stepDone(halved(file));
    return putAll(attempt, run, halves);
  }
  const { progress } = attempt;
  await attempt.keep({ ...progress, shed: [...(progress.shed ?? []), file.name] });
  return instead === undefined ? undefined : putFile(attempt, run, instead);
}

/** The step that says that a file goes in halves from now on, so that nothing of it is there twice. */
function halved({ name }: RunFile): string {
  return `${name} in halves`;
}

/** Whether any of the file is stored: itself, a part of it, or what goes instead. */
function isStored(attempt: Attempt, file: RunFile): boolean {
  const parts = [...(file.halves?.() ?? []), ...(file.instead === undefined ? [] : [file.instead])];
  return attempt.isDone(file.name) || parts.some((part) => isStored(attempt, part));
}
