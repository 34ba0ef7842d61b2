import type { CallRecord } from '../call/call-record.ts';

/** How many failures get a run, so that a flood of one kind cannot spend what all may. */
export interface FailureQuota {
  allows(call: CallRecord, now: number): boolean;
}

const minute = 60_000;
/** Kinds that are told apart in a minute; those beyond share one quota. */
const mostKinds = 1_000;

/** @param perMinute For each type of error, model and team. */
export function createFailureQuota(perMinute: number): FailureQuota {
  let beganAt = Number.NaN;
  let counts = new Map<string, number>();
  return {
    allows: ({ error, model, modelGroup, caller }, now) => {
      if (Math.floor(now / minute) !== beganAt) {
        beganAt = Math.floor(now / minute);
        counts = new Map();
      }
      const kind = JSON.stringify([error?.type, modelGroup ?? model, caller.teamId]);
      const key = counts.has(kind) || counts.size < mostKinds ? kind : 'others';
      const count = counts.get(key) ?? 0;
      if (count >= perMinute) return false;
      counts.set(key, count + 1);
      return true;
    },
  };
}
