import type { RequestName } from '../mlflow/transport.ts';

/** When each kind of request last succeeded, for whichever call. */
export interface Successes {
  note(request: RequestName, at: number): void;
  /** Unix milliseconds; 0 when none has. */
  lastAt(request: RequestName): number;
}

export function createSuccesses(): Successes {
  const last = new Map<RequestName, number>();
  return {
    note: (request, at) => {
      last.set(request, at);
    },
    lastAt: (request) => last.get(request) ?? 0,
  };
}
