import { JournalError } from '../journal/journal.ts';
import type { Environment } from '../settings/environment.ts';
import { loadSettings } from '../settings/load-settings.ts';
import { reportProblems } from '../settings/report-problems.ts';
import type { Settings } from '../settings/schema.ts';
import { type Desk, openDesk } from './desk.ts';
import { exitCodes } from './exit-codes.ts';
import { fail } from './fail.ts';

/** Opens the desk that the settings lead to, for one command, and says why where it cannot. */
export async function withDesk(
  { environment, json }: { environment: Environment; json: boolean },
  command: (desk: Desk, settings: Settings) => Promise<number>,
): Promise<number> {
  const loaded = loadSettings(environment);
  if (loaded.kind === 'invalid') {
    return fail(reportProblems(loaded.problems, loaded.file), exitCodes.settings, json);
  }
  try {
    const desk = await openDesk(loaded.settings);
    try {
      return await command(desk, loaded.settings);
    } finally {
      await desk.close();
    }
  } catch (error) {
    if (!(error instanceof JournalError)) throw error;
    return fail(error.message, exitCodes.failure, json);
  }
}
