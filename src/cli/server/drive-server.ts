import { ControlError, type MlflowControl } from '../../aws/mlflow-control.ts';
import type { Clock } from '../../deliver/clock.ts';
import { type Goal, type Look, leadsTo, nextStep, type Progress, type Step } from './next-step.ts';

export interface Drive {
  control: Pick<MlflowControl, 'describeServer' | 'startServer' | 'stopServer'>;
  name: string;
  goal: Goal;
  /** Whether to stay until the goal is reached. */
  wait: boolean;
  /** When to give up waiting, by the clock, in Unix milliseconds. */
  deadline: number;
  clock: Clock;
  /** Ends the waiting. */
  over: AbortSignal;
  /** Told of whatever is seen, and of what is done about it. */
  onProgress: (news: News) => void;
}

export type News =
  | { kind: 'seen'; look: Look; step: Step['kind']; why?: string }
  | { kind: 'asking'; look: Look }
  /** The server could not be looked at; it is looked at again. */
  | { kind: 'unseen'; code: string };

export interface DriveEnd {
  /**
   * `already`: nothing had to be done. `begun`: it is on its way, and nobody waits. `timeout`,
   * `interrupted`: it still is, but the waiting has ended.
   */
  kind: 'already' | 'reached' | 'begun' | 'failed' | 'timeout' | 'interrupted';
  look: Look;
  /** Why it failed. */
  why?: string;
  /** Whether the change is under way, which goes on without anybody waiting. */
  underWay: boolean;
}

/** Milliseconds between two looks: at first, and at the most; each wait is half as long again. */
const firstWait = 2_000;
const longestWait = 30_000;
const growth = 1.5;

/** So often a request may be refused for a status that then is not seen. */
const mostRefusals = 3;

/**
 * Brings a tracking server to a goal. What it is about to do already counts, whoever asked for it; a
 * change that stands in the way is waited for. SageMaker's refusal of a change (`ConflictException`, or
 * `ValidationException` in some statuses) tells that the server is not where it was seen: it is looked at
 * again.
 *
 * @throws ControlError when the first look or the request for the change fails otherwise.
 */
export async function driveServer(drive: Drive): Promise<DriveEnd> {
  const { control, name, goal, clock, over, onProgress } = drive;
  let progress: Progress = 'nothing';
  let askedAt: string | undefined;
  let last: Look | undefined;
  let refusals = 0;
  const end = (kind: DriveEnd['kind'], why?: string): DriveEnd => ({
    ...{ kind, look: last ?? unseen, underWay: progress !== 'nothing' },
    ...(why !== undefined && { why }),
  });

  for (let pause = firstWait; ; pause = Math.min(longestWait, pause * growth)) {
    const seen = await look(drive, last === undefined);
    if (seen !== undefined) {
      const { status, active, stamp } = seen;
      last = { status, active };
      if (leadsTo(goal, status) || (askedAt !== undefined && stamp !== askedAt)) progress = 'begun';
      let step = nextStep(goal, last, progress);
      onProgress({
        kind: 'seen',
        look: last,
        step: step.kind,
        ...('why' in step && { why: step.why }),
      });
      if (step.kind === 'ask') {
        onProgress({ kind: 'asking', look: last });
        const refused = await ask(control, name, goal, over);
        if (refused === undefined) {
          progress = 'asked';
          askedAt = stamp;
          step = { kind: 'wait' };
        } else {
          refusals += 1;
          if (refusals >= mostRefusals) return end('failed', refused);
          // Where nobody waits, what came in between is seen at once.
          if (!drive.wait) continue;
        }
      }
      switch (step.kind) {
        case 'reached':
          return end(progress === 'nothing' ? 'already' : 'reached');
        case 'failed':
          return end('failed', step.why);
        case 'wait':
          if (!drive.wait) return end('begun');
          break;
        case 'blocked':
          if (!drive.wait) return end('failed', `${step.why}; ${later}`);
          break;
        case 'ask':
          break;
      }
    }
    if (over.aborted) return end('interrupted');
    const left = drive.deadline - clock.now();
    if (left <= 0) return end('timeout');
    await clock.sleep(Math.min(pause, left), over);
    if (over.aborted) return end('interrupted');
  }
}

const later = 'ask again when that is over, or leave --no-wait out';
const unseen: Look = { status: 'unknown', active: false };

/**
 * One look; `undefined` where the server could not be looked at for now, unless it is the first one.
 * `stamp` differs from look to look as soon as something has changed.
 */
async function look(
  { control, name, over, onProgress }: Drive,
  isFirst: boolean,
): Promise<(Look & { stamp: string }) | undefined> {
  try {
    const { status, active = false, modified } = await control.describeServer(name, over);
    return { status, active, stamp: `${status} ${modified?.getTime()}` };
  } catch (error) {
    if (over.aborted) return undefined;
    if (isFirst || !(error instanceof ControlError) || !passes(error.code)) throw error;
    onProgress({ kind: 'unseen', code: error.code });
    return undefined;
  }
}

/** Failures of a moment: the rate, the network, SageMaker's own. */
function passes(code: string): boolean {
  return /Throttl|TooMany|RequestLimit|Timeout|Unavailable|Internal|^E[A-Z_]+$|SyntaxError/.test(
    code,
  );
}

/** Asks for the change; why it was not begun, where the server may be in no status for it, or nobody knows. */
async function ask(
  control: Drive['control'],
  name: string,
  goal: Goal,
  over: AbortSignal,
): Promise<string | undefined> {
  try {
    await (goal === 'running' ? control.startServer(name, over) : control.stopServer(name, over));
    return undefined;
  } catch (error) {
    if (over.aborted) return 'interrupted';
    if (!(error instanceof ControlError)) throw error;
    if (/^(Conflict|Validation)/.test(error.code)) return `SageMaker refuses: ${error.message}`;
    if (passes(error.code)) return `SageMaker does not answer: ${error.code}`;
    throw error;
  }
}
