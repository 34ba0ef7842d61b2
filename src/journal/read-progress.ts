import { type Fields, given, isObject, numberIn, textIn } from '../call/fields.ts';
import { anyDestination, type Progress } from './journal.ts';

/**
 * The progress in a row's text, as far as it is towards `destination`. Towards another one a call begins
 * again, but what was reached before is kept: a start with a wrong destination must not make a second
 * run at the right one. Text that is damaged tells only that something was begun, at some time.
 */
export function readProgress(text: string, destination: string): Progress {
  const fields = parsed(text);
  if (!isObject(fields)) return { destination, begunAt: 0 };
  const isTowards = (candidate: Fields) =>
    candidate['destination'] === destination || candidate['destination'] === anyDestination;
  if (isTowards(fields)) return progressIn(fields, destination);
  const {
    replayed,
    again,
    earlierRunId,
    before: _,
    ...reached
  } = progressIn(fields, textIn(fields['destination']) ?? '');
  const replay = given({ replayed, again, earlierRunId });
  const before = fields['before'];
  if (isObject(before) && isTowards(before)) {
    return { ...progressIn(before, destination), ...replay };
  }
  return { destination, before: reached, ...replay, ...(replayed && { begunAt: 0 }) };
}

function progressIn(fields: Fields, destination: string): Progress {
  const before = fields['before'];
  return {
    destination,
    ...given({
      begunAt: numberIn(fields['begunAt']),
      experiment: textIn(fields['experiment']),
      experimentId: textIn(fields['experimentId']),
      runId: textIn(fields['runId']),
      artifactUri: textIn(fields['artifactUri']),
      done: textsIn(fields['done']),
      resent: fields['resent'] === true ? (true as const) : undefined,
      secondRunsDeleted: numberIn(fields['secondRunsDeleted']),
      shed: textsIn(fields['shed']),
      failures: failuresIn(fields['failures']),
      again: numberIn(fields['again']),
      replayed: fields['replayed'] === true ? (true as const) : undefined,
      earlierRunId: textIn(fields['earlierRunId']),
      before: isObject(before)
        ? progressIn(before, textIn(before['destination']) ?? '')
        : undefined,
    }),
  };
}

function failuresIn(value: unknown): Progress['failures'] {
  const { request, lastAt, times }: Fields = isObject(value) ? value : {};
  return typeof request === 'string' && typeof lastAt === 'number' && typeof times === 'number'
    ? { request, lastAt, times }
    : undefined;
}

function textsIn(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.filter((text) => typeof text === 'string') : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
