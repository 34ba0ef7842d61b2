import type { Damage } from '../journal/salvage/damage.ts';

/** What was damaged in the journal, what is missing, and what becomes of the rest: in sentences. */
export function describeDamage({ log, database, account, setAside }: Damage): string[] {
  const sentences: string[] = [];
  if (log !== undefined) {
    sentences.push(
      `The journal's write-ahead log was damaged: ${log.frames} frames (${log.bytes} bytes) of commits could not be read and are missing.`,
    );
  }
  if (database !== undefined) {
    const { reason, bytes, calls, lost, bodiesLost } = database;
    sentences.push(
      `The journal was damaged (${reason}) and was made anew from its ${bytes} bytes: ${calls} calls were kept, ${bodiesLost} of them without their body; ${lost} are known to be lost.`,
    );
  }
  if (account !== undefined) {
    sentences.push(
      `The journal's account did not add up and was set right; ${account.lost} calls are missing.`,
    );
  }
  if (setAside.length > 0) sentences.push(`What was damaged is in ${setAside.join(', ')}.`);
  return [
    ...sentences,
    'Calls without a run are searched for in MLflow before they are sent; new ones are accepted.',
  ];
}
