/** What can be under way with a resource. */
export type Change = 'Create' | 'Update' | 'Start' | 'Stop' | 'Delete' | 'Maintain';

/** How the statuses of a change are called while it lasts, after it, and after it failed. */
const statuses: Readonly<Record<Change, readonly [doing: string, done: string, failed: string]>> = {
  Create: ['Creating', 'Created', 'CreateFailed'],
  Update: ['Updating', 'Updated', 'UpdateFailed'],
  Start: ['Starting', 'Started', 'StartFailed'],
  Stop: ['Stopping', 'Stopped', 'StopFailed'],
  Delete: ['Deleting', 'Deleted', 'DeleteFailed'],
  Maintain: ['MaintenanceInProgress', 'MaintenanceComplete', 'MaintenanceFailed'],
};

/** What decides when changes end, and how. */
export interface Pace {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds from the begin of a change to its end; `Infinity` leaves ending it to the test. */
  readonly changeMs: () => number;
  /** Whether the change that ends now fails; asked once for each. */
  readonly fails: (change: Change) => boolean;
}

/**
 * The states of a tracking server or app. One change at a time is under way:
 *
 *     Creating ─▶ Created ─┬─▶ Stopping ─▶ Stopped ─▶ Starting ─▶ Started ─▶ …
 *                          ├─▶ Updating ─▶ Updated
 *                          ├─▶ MaintenanceInProgress ─▶ MaintenanceComplete
 *                          └─▶ Deleting ─▶ gone
 *
 * each with a `…Failed` instead of its end. `isActive` says whether it serves, which no status but
 * these two decide: Create and Start switch it on when they end well, Stop switches it off. An app,
 * which has neither Start nor Stop, does not ask for it.
 */
export class LifeCycle {
  readonly #pace: Pace;
  #status: string;
  #isActive: boolean;
  #changedAt: number;
  #underWay: { readonly change: Change; readonly endsAt: number } | undefined;
  #maintenance: string | undefined;

  constructor(pace: Pace) {
    this.#pace = pace;
    this.#status = 'Creating';
    this.#isActive = false;
    this.#changedAt = pace.now();
    this.begin('Create');
  }

  get status(): string {
    this.#endIfDue();
    return this.#status;
  }

  get isActive(): boolean {
    this.#endIfDue();
    return this.#isActive;
  }

  /** What is under way, if anything is. */
  get change(): Change | undefined {
    this.#endIfDue();
    return this.#underWay?.change;
  }

  /** Deleted for good. */
  get isGone(): boolean {
    return this.status === 'Deleted';
  }

  /** When the status changed last, in milliseconds since 1970. */
  get changedAt(): number {
    this.#endIfDue();
    return this.#changedAt;
  }

  /** How the last maintenance stands. */
  get maintenance(): string | undefined {
    this.#endIfDue();
    return this.#maintenance;
  }

  begin(change: Change): void {
    this.#underWay = { change, endsAt: this.#pace.now() + this.#pace.changeMs() };
    this.#become(statuses[change][0], change, this.#pace.now());
  }

  /** Ends what is under way now. */
  end(): void {
    if (this.#underWay !== undefined) this.#end(this.#underWay.change, this.#pace.now());
  }

  #endIfDue(): void {
    const { change, endsAt = Number.POSITIVE_INFINITY } = this.#underWay ?? {};
    if (change !== undefined && endsAt <= this.#pace.now()) this.#end(change, endsAt);
  }

  #end(change: Change, at: number): void {
    const hasFailed = this.#pace.fails(change);
    this.#underWay = undefined;
    this.#become(statuses[change][hasFailed ? 2 : 1], change, at);
    if (hasFailed) return;
    if (change === 'Create' || change === 'Start') this.#isActive = true;
    if (change === 'Stop' || change === 'Delete') this.#isActive = false;
  }

  #become(status: string, change: Change, at: number): void {
    this.#status = status;
    this.#changedAt = at;
    if (change === 'Maintain') this.#maintenance = status;
  }
}
