/** What a tracking server is wanted to do. */
export type Goal = 'running' | 'stopped';

/** What is seen of a tracking server. */
export interface Look {
  /** One of SageMaker's 17 statuses; a newer SageMaker may have others. */
  status: string;
  /** `IsActive`: whether it serves, whatever its status is called. */
  active: boolean;
}

/**
 * How far a change is that was asked for: `begun` as soon as the server was seen on its way, whoever
 * sent it there.
 */
export type Progress = 'nothing' | 'asked' | 'begun';

export type Step =
  /** The goal is reached. */
  | { kind: 'reached' }
  /** SageMaker has to be asked for the change. */
  | { kind: 'ask' }
  /** The server is on its way. */
  | { kind: 'wait' }
  /** Another change has to end before this one can be asked for. */
  | { kind: 'blocked'; why: string }
  /** It will not be reached; `why` says what to do. */
  | { kind: 'failed'; why: string };

/** What is to be done for `goal`, by what is seen. A status alone does not say whether a server serves. */
export function nextStep(goal: Goal, look: Look, progress: Progress): Step {
  const failure = failureOf(goal, look.status);
  if (failure !== undefined) return { kind: 'failed', why: failure };
  return goal === 'running' ? towardsRunning(look, progress) : towardsStopped(look, progress);
}

/** Whether a status shows the server on its way to `goal`. */
export function leadsTo(goal: Goal, status: string): boolean {
  return goal === 'running'
    ? status === 'Starting' || status === 'Creating'
    : status === 'Stopping';
}

/** What neither waiting nor asking gets over. */
function failureOf(goal: Goal, status: string): string | undefined {
  switch (status) {
    case 'Deleting':
      return 'it is being deleted';
    case 'CreateFailed':
      return `its creation failed, so there is nothing to ${goal === 'running' ? 'start' : 'stop'}. ${noReason} Most often the execution role or the bucket is wrong; delete it and create another`;
    case 'Creating':
      return goal === 'running'
        ? undefined
        : 'it is being created, which takes up to 25 minutes, and can be stopped only after that';
    default:
      return undefined;
  }
}

const noReason = 'SageMaker gives no reason.';

function towardsRunning({ status, active }: Look, progress: Progress): Step {
  switch (status) {
    case 'Creating':
    case 'Starting':
      return { kind: 'wait' };
    case 'Stopping':
      return progress === 'begun' ? stoppedMeanwhile : { kind: 'blocked', why: 'it is stopping' };
    case 'Updating':
      return active ? { kind: 'reached' } : { kind: 'blocked', why: 'it is being updated' };
    case 'MaintenanceInProgress':
      return active ? { kind: 'reached' } : { kind: 'blocked', why: 'it is in maintenance' };
    case 'Created':
    case 'Started':
      // It serves a moment later.
      return { kind: active ? 'reached' : 'wait' };
    case 'StartFailed':
      if (active) return { kind: 'reached' };
      return progress === 'begun' ? startFailed : { kind: progress === 'asked' ? 'wait' : 'ask' };
    case 'Stopped':
      if (progress === 'begun') return stoppedMeanwhile;
      return { kind: progress === 'asked' ? 'wait' : 'ask' };
    default:
      // Updated, UpdateFailed, StopFailed, DeleteFailed, MaintenanceComplete, MaintenanceFailed.
      if (active) return { kind: 'reached' };
      return { kind: progress === 'nothing' ? 'ask' : 'wait' };
  }
}

function towardsStopped({ status, active }: Look, progress: Progress): Step {
  switch (status) {
    case 'Stopping':
      return { kind: 'wait' };
    case 'Stopped':
      return { kind: 'reached' };
    case 'Starting':
      return progress === 'begun' ? startedMeanwhile : { kind: 'blocked', why: 'it is starting' };
    case 'Updating':
      return active ? { kind: 'blocked', why: 'it is being updated' } : { kind: 'reached' };
    case 'MaintenanceInProgress':
      return active ? { kind: 'blocked', why: 'it is in maintenance' } : { kind: 'reached' };
    case 'Created':
    case 'Started':
      if (progress === 'begun') return startedMeanwhile;
      return { kind: progress === 'asked' ? 'wait' : 'ask' };
    case 'StopFailed':
      if (!active) return { kind: 'reached' };
      return progress === 'begun' ? stopFailed : { kind: progress === 'asked' ? 'wait' : 'ask' };
    default:
      // Updated, UpdateFailed, StartFailed, DeleteFailed, MaintenanceComplete, MaintenanceFailed.
      if (!active) return { kind: 'reached' };
      return { kind: progress === 'nothing' ? 'ask' : 'wait' };
  }
}

const startFailed: Step = {
  kind: 'failed',
  why: `starting failed. ${noReason} Look whether its execution role and its bucket are still there, then start it again; "server info" names both`,
};
const stopFailed: Step = {
  kind: 'failed',
  why: `stopping failed, and it still runs. ${noReason} Stop it again`,
};
const stoppedMeanwhile: Step = { kind: 'failed', why: 'somebody has stopped it meanwhile' };
const startedMeanwhile: Step = { kind: 'failed', why: 'somebody has started it meanwhile' };
