import type { Clock } from '../../deliver/clock.ts';
import { systemClock } from '../../deliver/clock.ts';
import type { Environment } from '../../settings/environment.ts';
import { exitCodes } from '../exit-codes.ts';
import { fail } from '../fail.ts';
import { onInterrupt } from '../on-interrupt.ts';
import { print, printError, printJson } from '../print.ts';
import { type DriveEnd, driveServer, type News } from './drive-server.ts';
import { createTeller, endWords } from './drive-words.ts';
import type { Goal } from './next-step.ts';
import { withTarget } from './with-control.ts';

/** What can be done with a tracking server as a whole. */
export type Verb = 'start' | 'stop' | 'restart';

export interface SwitchOptions {
  /** Whether to stay until it is done. */
  wait: boolean;
  /** The most milliseconds to stay. */
  timeoutMs: number;
  json: boolean;
}

/**
 * `server start`, `stop` and `restart`. Exit 0 when it is done, or begun where nobody waits; 1 when it
 * failed, or when the waiting ended first; 64 for an app.
 *
 * @param name The tracking server; without it, that of the settings.
 */
export function switchServer(
  environment: Environment,
  verb: Verb,
  name: string | undefined,
  { wait, timeoutMs, json }: SwitchOptions,
  clock: Clock = systemClock,
): Promise<number> {
  return withTarget(environment, name, json, async ({ control, target }) => {
    if (target.kind === 'mlflow-app') {
      return fail(appWords(verb), exitCodes.usage, json);
    }
    const since = clock.now();
    const { over, dispose } = onInterrupt();
    const drive = (goal: Goal, stay: boolean): Promise<DriveEnd> => {
      const tell = createTeller(target.name, goal, clock.now);
      const onProgress = (news: News) => tell(news).forEach(printError);
      return driveServer({
        ...{ control, name: target.name, goal, clock, over, onProgress },
        ...{ wait: stay, deadline: since + timeoutMs },
      });
    };
    try {
      let goal: Goal = verb === 'start' ? 'running' : 'stopped';
      // What is to be started again has to have stopped first, whoever waits.
      let end = await drive(goal, wait || verb === 'restart');
      if (verb === 'restart' && (end.kind === 'reached' || end.kind === 'already')) {
        goal = 'running';
        end = await drive(goal, wait);
      }
      const seconds = Math.round((clock.now() - since) / 1000);
      const text = endWords(target.name, verb, goal, end, seconds);
      const isWell = end.kind === 'already' || end.kind === 'reached' || end.kind === 'begun';
      if (json) {
        const { status, active } = end.look;
        const problem = isWell ? {} : { error: text };
        printJson({
          name: target.name,
          verb,
          result: end.kind,
          status,
          active,
          seconds,
          ...problem,
        });
      } else (isWell ? print : printError)(text);
      return isWell ? exitCodes.ok : exitCodes.failure;
    } finally {
      dispose();
    }
  });
}

function appWords(verb: Verb): string {
  return `This is an MLflow app, which runs for as long as it exists: SageMaker has no way to ${verb} one. "server status" says how it is.`;
}
