import type { PassingRequest } from '../support/fault-proxy.ts';

/** The requests of one call, in the order in which each needs the answer of the one before it. */
const order = ['runs/create', 'runs/log-batch', 'artifacts/put', 'runs/update'];

/**
 * Watches that no answered request is made again once a later one of the same call went out: each
 * answer is on disk before the next request, so that not even a kill makes a call go back. Searches
 * change nothing and do not count.
 */
export interface StepOrder {
  arrived(passing: PassingRequest): void;
  /** With MLflow's answer, which tells whose run it made. */
  acted(passing: PassingRequest, answer: Buffer): void;
  /** One line for each step back. */
  readonly violations: readonly string[];
  /** How many requests were watched. */
  readonly watched: number;
}

export function createStepOrder(): StepOrder {
  const callOfRun = new Map<string, string>();
  const furthest = new Map<string, string>();
  const violations: string[] = [];
  let watched = 0;

  return {
    violations,
    get watched() {
      return watched;
    },
    arrived: (passing) => {
      const recordId = recordIdOf(passing);
      const call = recordId ?? callOfRun.get(runIdOf(passing) ?? '');
      if (call === undefined) return;
      watched += 1;
      const step = stepOf(passing);
      const before = furthest.get(call);
      if (before === undefined || rank(step) > rank(before)) furthest.set(call, step);
      else if (rank(step) < rank(before)) violations.push(`${call}: ${step} after ${before}`);
    },
    acted: (passing, answer) => {
      const recordId = recordIdOf(passing);
      if (passing.name !== 'runs/create' || passing.status !== 200) return;
      const runId = /"run_id":\s*"(\w+)"/.exec(answer.toString())?.[1];
      if (recordId !== undefined && runId !== undefined) callOfRun.set(runId, recordId);
    },
  };
}

/** A file of its own for each artifact; the names sort in the order in which they are put. */
function stepOf({ name, path }: PassingRequest): string {
  return name === 'artifacts/put' ? `${name} ${/[^/?]+(?=\?|$)/.exec(path)?.[0]}` : name;
}

function rank(step: string): number {
  const [name = '', file] = step.split(' ');
  return order.indexOf(name) + (file === 'traceback.txt' ? 0.5 : 0);
}

/** Of a create: the call whose run it makes. */
function recordIdOf({ name, body }: PassingRequest): string | undefined {
  if (name !== 'runs/create') return undefined;
  return /"sidecar\.record_id","value":"([0-9a-f]{64})"/.exec(body.toString())?.[1];
}

function runIdOf({ name, path, body }: PassingRequest): string | undefined {
  if (name === 'artifacts/put') return /\/([0-9a-f]{32})\/artifacts\//.exec(path)?.[1];
  return /"run_id":"(\w+)"/.exec(body.toString())?.[1];
}
