import { printError, printJson } from './print.ts';

/** Says why a command comes to nothing, as text or as JSON; returns the exit code. */
export function fail(text: string, code: number, json: boolean): number {
  if (json) printJson({ error: text });
  else printError(text);
  return code;
}
