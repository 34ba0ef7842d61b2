import { type Fields, given, isObject, numberIn, textIn } from '../call/fields.ts';
import { anyDestination, type Progress } from './journal.ts';

/**
 * The progress in a row's text, where it is towards `destination`: towards another one a call begins
 * again. Text that is damaged tells only that something was begun, at some time.
 */
export function readProgress(text: string, destination: string): Progress | undefined {
  const fields = parsed(text);
  if (!isObject(fields)) return { destination, begunAt: 0 };
  const towards = fields['destination'];
  if (towards !== destination && towards !== anyDestination) return undefined;
  return {
    destination,
    ...given({
      begunAt: numberIn(fields['begunAt']),
      experimentId: textIn(fields['experimentId']),
      runId: textIn(fields['runId']),
      artifactUri: textIn(fields['artifactUri']),
      done: textsIn(fields['done']),
      resent: fields['resent'] === true ? (true as const) : undefined,
      shed: textsIn(fields['shed']),
      failures: failuresIn(fields['failures']),
      again: numberIn(fields['again']),
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
